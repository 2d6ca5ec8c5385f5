#include "internal/checks/failure.h"

#include "internal/base/text.h"

namespace gpumon::checks {
namespace {

// What a service says of itself may be long.
constexpr std::size_t kMostCharacters = 500;

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
  const std::string text = ToValidUtf8(why);
  const std::string_view shown = FrontCharacters(text, kMostCharacters);
  Outcome outcome;
  outcome.status = status;
  outcome.details = Capital(shown);
  outcome.error = std::string(what).append(": ").append(shown);
  outcome.hint = hint;
  return outcome;
}

}  // namespace gpumon::checks
