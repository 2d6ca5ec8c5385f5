#include <cstdio>
#include <cstdlib>
#include <string>

#include "internal/base/text.h"
#include "tests/fuzz/targets.h"

namespace gpumon::fuzz {

void Require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: does not hold: %s\n", std::string(what).c_str());
  std::abort();
}

void RequireMessage(std::string_view message) {
  Require(!message.empty(), "an error has a message");
  Require(IsValidUtf8(message), "a message is valid UTF-8");
  Require(!HasHiddenCharacter(message), "a message is one line without hidden characters");
}

}  // namespace gpumon::fuzz
