// Asks stand-ins without a server.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cmd/gpu-demo-peers/peer.h"
#include "internal/http/router.h"
#include "internal/json/document.h"

namespace gpumon::demo {

inline constexpr WallTime kNoon{Millis(1772366400000)};  // 2026-03-01T12:00:00Z

inline exporter::Fleet MakeFleet(exporter::FleetOptions options = {}) {
  return *exporter::Fleet::Make(options);
}

// `target` without a query; `query` beside it.
inline Answer Ask(const std::vector<Row>& rows, const std::string& target, WallTime now = kNoon,
                  std::vector<std::pair<std::string, std::string>> query = {},
                  const std::string& method = "GET") {
  std::vector<http::Route> routes;
  for (const Row& row : rows) routes.push_back({.methods = {row.method}, .path = row.path});
  const http::Verdict verdict = http::Router(routes, "").Find(method, target);
  if (verdict.kind != http::Verdict::Kind::kMatch) {
    ADD_FAILURE() << method << ' ' << target << " is no route";
    return {.status = 0, .body = ""};
  }
  return rows[static_cast<std::size_t>(verdict.match.route)].answer(
      {now, verdict.match.params, std::move(query)});
}

inline json::Value JsonOf(const Answer& answer) {
  const auto document = json::ParseDocument(answer.body);
  EXPECT_TRUE(document.has_value()) << answer.body.substr(0, 300);
  return document.value_or(json::Value());
}

inline std::string TextOf(const json::Value& value) {
  const std::string* const text = value.AsString();
  return text == nullptr ? "" : *text;
}

}  // namespace gpumon::demo
