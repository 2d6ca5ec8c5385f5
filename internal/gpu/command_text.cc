#include "internal/gpu/command_text.h"

#include "internal/gpu/characters.h"

namespace gpumon::gpu {
namespace {

int HexValue(char c) {
  return IsDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

}  // namespace

std::size_t CommandText::WordEnd(std::size_t at) const {
  while (at < text_.size() && !IsSpace(text_[at])) ++at;
  return at;
}

std::size_t CommandText::ValueEnd(std::size_t at) const {
  std::size_t end = WordEnd(at);
  while (end > at && end < text_.size() && text_[end] == ' ' && text_[end - 1] == '\\') {
    end = WordEnd(end + 1);
  }
  return end;
}

bool CommandText::IsKeyBelow(std::size_t begin, std::size_t end) const {
  std::size_t line = begin;
  while (line > 0 && text_[line - 1] == ' ') --line;
  return text_[end - 1] == ':' && line > 0 && text_[line - 1] == '\n';
}

bool CommandText::IsValueOver(std::size_t at) const {
  return at >= text_.size() || IsSpace(text_[at]) || IsQuote(text_[at]) ||
         std::string_view(",;)}]&").find(text_[at]) != kNone;
}

std::size_t CommandText::TrimmedEnd(std::size_t begin, std::size_t end) const {
  while (end > begin && (IsQuote(text_[end - 1]) || text_[end - 1] == '\\')) --end;
  return end;
}

std::size_t CommandText::StructureEnd(std::size_t at) const {
  if (at >= text_.size() || (text_[at] != '{' && text_[at] != '(')) return kNone;
  std::size_t first = at + 1;
  while (first < text_.size() && (IsSpace(text_[first]) || text_[first] == '\\')) ++first;
  std::size_t name = first;
  while (name < text_.size() && (IsAlnum(text_[name]) || text_[name] == '_')) ++name;
  // One that was masked before is one too.
  const bool quoted = first < text_.size() && (IsQuote(text_[first]) || text_[first] == '*');
  const bool named = text_[at] == '{' && name > first && name < text_.size() && text_[name] == ':';
  if (!quoted && !named) return kNone;
  std::size_t depth = 0;
  char quote = '\0';
  for (std::size_t i = at; i < text_.size(); ++i) {
    const char c = text_[i];
    if (IsQuote(c) && (quote == '\0' || quote == c)) quote = quote == c ? '\0' : c;
    if (quote != '\0') continue;
    if (c == '{' || c == '(' || c == '[') ++depth;
    if ((c == '}' || c == ')' || c == ']') && --depth == 0) return i + 1;
  }
  return text_.size();
}

std::size_t CommandText::Find(char c, std::size_t from) {
  bool& missing = missing_[static_cast<unsigned char>(c)];
  if (missing) return kNone;
  const std::size_t at = text_.find(c, from);
  missing = at == kNone;
  return at;
}

std::size_t CommandText::ClosingQuote(std::size_t from, bool escaped) {
  constexpr std::string_view kQuoteInQuotes = "'\\''";
  const char quote = text_[from - 1];
  std::size_t at = Find(quote, from);
  while (!escaped && at != kNone) {
    if (text_.substr(at).starts_with(kQuoteInQuotes)) {
      at = Find(quote, at + kQuoteInQuotes.size());
    } else if (at > from && text_[at - 1] == '\\') {
      at = Find(quote, at + 1);
    } else {
      break;
    }
  }
  return at;
}

CommandText::Part CommandText::ContentBefore(std::size_t name_begin, std::size_t name_end) const {
  constexpr std::size_t kLongestPrefix = 32;
  std::size_t tag = name_begin;
  while (tag > 0 && name_begin - tag < kLongestPrefix &&
         (IsAlnum(text_[tag - 1]) || text_[tag - 1] == ':')) {
    --tag;
  }
  if (tag < 3 || text_.substr(tag - 2, 2) != "</") return {};
  const std::size_t end = tag - 2;
  const std::size_t open = text_.rfind('<', end - 1);
  if (open == kNone || !text_.substr(open + 1).starts_with(text_.substr(tag, name_end - tag))) {
    return {};
  }
  const std::size_t begin = text_.find('>', open);
  return begin < end ? Part{begin + 1, end} : Part{};
}

CommandText::Escape CommandText::ReadEscape(std::size_t at) const {
  if (at >= text_.size() || text_[at] != '%') return {};
  ++at;
  while (text_.substr(at).starts_with("25")) at += 2;
  if (at + 2 > text_.size() || !IsHex(text_[at]) || !IsHex(text_[at + 1])) return {};
  return {static_cast<char>(HexValue(text_[at]) * 16 + HexValue(text_[at + 1])), at + 2};
}

}  // namespace gpumon::gpu
