// A ready server over the scripted fleet, and how its answers are judged.
#pragma once

#include <string>

#include "internal/json/document.h"
#include "tests/e2e/http_client.h"
#include "tests/e2e/programs.h"
#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {

inline constexpr char kMetrics[] = "/api/v1/gpu/metrics";
inline constexpr char kProcesses[] = "/api/v1/gpu/processes";

struct Subject {
  explicit Subject(Environment variables = {});

  fault::FaultServer upstream;
  ApiServer server;
};

// The text, or "" when the value is none.
std::string TextOf(const json::Value& value);
bool Holds(const std::string& text, const std::string& part);

// The answer is the envelope of an error, with the headers of every answer.
void ExpectEnvelope(const Answer& answer, int status, const std::string& code);

}  // namespace gpumon::e2e
