// Which route a request goes to.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "internal/http/server.h"

namespace gpumon::http {

// What the router says about a request.
struct Verdict {
  enum class Kind { kMatch, kOptions, kNotFound, kBadPath, kWrongMethod, kUnknownMethod };
  Kind kind = Kind::kNotFound;
  Match match;                   // with kMatch
  const Route* route = nullptr;  // with kMatch
  std::string allow;             // with kOptions and kWrongMethod: "GET, HEAD, OPTIONS"
};

// Immutable, thread-safe.
//
// Paths match byte for byte. Before any table is asked: `%2f` or `%00` is kBadPath, an empty or
// dot segment is kNotFound. A `{name}` value that is no valid escape, no UTF-8, a dot segment or
// has control characters is kBadPath.
class Router {
 public:
  // A route that cannot be registered (the same method and path twice) ends the process's start
  // with std::invalid_argument: the table is code.
  Router(const std::vector<Route>& routes, std::string base_path);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // `path` as in the request, with the base path; `*` for the server as a whole.
  Verdict Find(std::string_view method, std::string_view path) const;

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

}  // namespace gpumon::http
