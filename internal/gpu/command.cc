#include "internal/gpu/command.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "internal/gpu/characters.h"
#include "internal/gpu/named_secrets.h"
#include "internal/gpu/secret_argument.h"
#include "internal/gpu/secret_pipe.h"
#include "internal/gpu/secret_shape.h"
#include "internal/gpu/secret_token.h"
#include "internal/gpu/secret_url.h"

namespace gpumon::gpu {
namespace {

using std::string_view;
constexpr std::size_t kNone = string_view::npos;

std::string Masked(string_view text, TextSpans spans) {
  std::sort(spans.begin(), spans.end(),
            [](const TextSpan& a, const TextSpan& b) { return a.begin < b.begin; });
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  bool masked = false;
  for (const TextSpan& span : spans) {
    if (!masked || span.begin > at) out.append(text.substr(at, span.begin - at)).append("***");
    masked = true;
    at = std::max(at, span.end);
  }
  return out.append(text.substr(at));
}

std::string Redacted(string_view text) {
  TextSpans spans;
  FindPemBlocks(text, spans);
  FindUrlSecrets(text, spans);
  FindKnownTokens(text, spans);
  FindOpaqueWords(text, spans);
  FindPlacedSecrets(text, spans);
  FindPipedSecrets(text, spans);
  FindNamedSecrets(text, spans);
  return spans.empty() ? std::string(text) : Masked(text, std::move(spans));
}

// NAME=value in front of a program.
bool IsAssignment(string_view word) {
  const std::size_t mark = word.find('=');
  return mark != kNone && mark > 0 && !IsDigit(word[0]) &&
         std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(mark),
                     [](char c) { return IsAlnum(c) || c == '_'; });
}

string_view ProgramOf(string_view text) {
  while (true) {
    const auto begin = std::find_if_not(text.begin(), text.end(), IsSpace);
    const auto end = std::find_if(begin, text.end(), IsSpace);
    const string_view word = text.substr(static_cast<std::size_t>(begin - text.begin()),
                                         static_cast<std::size_t>(end - begin));
    if (!IsAssignment(word)) return word;
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
  }
}

}  // namespace

std::string ShowCommand(string_view command, CommandStyle style) {
  switch (style) {
    case CommandStyle::kFull:
      return std::string(command);
    case CommandStyle::kName:
      return Redacted(ProgramOf(command));
    case CommandStyle::kHidden:
      return {};
    case CommandStyle::kRedacted:
      break;
  }
  return Redacted(command);
}

}  // namespace gpumon::gpu
