#include "internal/gpu/secret_values.h"

#include <algorithm>
#include <string_view>

#include "internal/gpu/characters.h"
#include "internal/gpu/secret_argument.h"

namespace gpumon::gpu {

using std::string_view;

SecretValues::Taken SecretValues::Take(std::size_t begin, SecretKind kind) {
  std::size_t open = begin;
  while (open < text_.size() && (IsAlnum(text_[open]) || text_[open] == '.')) ++open;
  const bool call = open > begin && IsLoginCall(text_.Text(begin, open));
  const std::size_t over = open == begin || call ? text_.StructureEnd(open) : CommandText::kNone;
  if (over != CommandText::kNone) {
    const char last = text_[over - 1];
    Mask(open + 1, last == '}' || last == ')' ? over - 1 : over);
    return {over};
  }
  const std::size_t escaped = text_[begin] == '\\' ? 1 : 0;
  if (begin + escaped < text_.size() && IsQuote(text_[begin + escaped])) {
    const std::size_t from = begin + escaped + 1;
    const std::size_t close = text_.ClosingQuote(from, escaped > 0);
    if (close != string_view::npos && close + 1 < text_.size() && IsAlnum(text_[close + 1])) {
      const std::size_t end = text_.ValueEnd(close);  // 'a'b
      MaskUnlessHarmless(begin, text_.TrimmedEnd(begin, end), kind);
      return {end};
    }
    if (close != string_view::npos) {
      const std::size_t end = std::max(from, close - (close > from ? escaped : 0));
      MaskUnlessHarmless(from, end, kind);
      return {close + 1};
    }
  }
  if (text_[begin] == '[') {
    const std::size_t close = text_.Find(']', begin);
    if (close != string_view::npos && text_.IsValueOver(close + 1)) {
      MaskUnlessHarmless(begin + 1, close, kind);
      return {close + 1};
    }
  }
  const std::size_t end = text_.ValueEnd(begin);
  const std::size_t stop = text_.TrimmedEnd(begin, end);
  string_view value = text_.Text(begin, stop);
  while (!value.empty() && (IsQuote(value.front()) || value.front() == '\\')) {
    value.remove_prefix(1);
  }
  if (kind == SecretKind::kAuthorization && IsAuthorizationScheme(value)) {
    return {end, SecretKind::kPassword};
  }
  MaskUnlessHarmless(begin, stop, kind);
  const bool goes_on = (kind == SecretKind::kCookie && value.ends_with(';')) ||
                       (kind == SecretKind::kList && value.ends_with(','));
  return {end, goes_on ? kind : SecretKind::kNone};
}

void SecretValues::MaskUnlessHarmless(std::size_t begin, std::size_t end, SecretKind kind) {
  if (!IsHarmlessValue(kind, text_.Text(begin, end))) Mask(begin, end);
}

SecretValues::Taken SecretValues::TakeCookie(std::size_t begin, std::size_t end) {
  const bool cookie = text_.Text(begin, end).find('=') != string_view::npos;
  return cookie ? Take(begin, SecretKind::kCookie) : Taken{end};
}

std::size_t SecretValues::TakeQuery(std::size_t begin, std::size_t end, SecretKind kind,
                                    bool encoded) {
  std::size_t stop = begin;
  while (stop < end && text_[stop] != '&' && text_[stop] != '#') {
    if (encoded && text_[stop] == '%') {
      const char c = text_.ReadEscape(stop).character;
      if (c == '&' || c == '#') break;
    }
    ++stop;
  }
  const std::size_t last = stop == end ? text_.TrimmedEnd(begin, stop) : stop;
  const bool count = kind == SecretKind::kList || (IsBare(kind) && kind != SecretKind::kBareKey);
  if (!count || !IsHarmlessValue(kind, text_.Text(begin, last))) Mask(begin, last);
  return stop;
}

void SecretValues::TakeUser(std::size_t begin, std::size_t end, string_view program,
                            bool or_token) {
  end = text_.TrimmedEnd(begin, end);
  const char separator = UserSeparator(program);
  const string_view login = text_.Text(begin, end);
  const std::size_t mark = login.find(separator);
  if (mark == string_view::npos && or_token) Mask(begin, end);
  if (mark == string_view::npos || (separator == ':' && login.find("://") != string_view::npos))
    return;
  const std::size_t from = begin + mark + 1;
  const string_view password = text_.Text(from, end);
  const bool ids = separator == ':' && program != "curl";
  if (ids && std::all_of(password.begin(), password.end(), IsDigit)) return;
  Mask(from, end);
}

void SecretValues::Mask(std::size_t begin, std::size_t end) {
  if (begin < end) spans_.push_back({begin, end});
}

}  // namespace gpumon::gpu
