#include "internal/checks/failure.h"

namespace gpumon::checks {
namespace {

std::string Capital(std::string_view text) {
  std::string out(text);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 32);
  return out;
}

}  // namespace

std::string NoAnswerWithin(Millis limit) {
  const auto count = limit.count();
  return "No answer within " +
         (count % 1000 == 0 ? std::to_string(count / 1000) + " s" : std::to_string(count) + " ms");
}

Outcome Failed(Status status, std::string_view what, std::string_view why, std::string_view hint) {
  Outcome outcome;
  outcome.status = status;
  outcome.details = Capital(why);
  outcome.error = std::string(what).append(": ").append(why);
  outcome.hint = hint;
  return outcome;
}

}  // namespace gpumon::checks
