#include "internal/http/line_scanner.h"

namespace gpumon::http {

const char* LineScanner::Explain(Found found) {
  if (found == Found::kBareLineEnd) return "a CR or LF stands alone; lines end with CRLF";
  if (found == Found::kFold) return "a header line begins with a space; folding is obsolete";
  return "the request's head has a control character or a byte above 0x7f; percent-encode it";
}

LineScanner::Found LineScanner::Next(std::string_view input, std::size_t limit) {
  for (; position_ < input.size(); ++position_) {
    if (position_ >= limit) return Found::kTooLong;
    const auto byte = static_cast<unsigned char>(input[position_]);
    if (after_cr_) {
      if (byte != '\n') return Found::kBareLineEnd;
      after_cr_ = false;
      found_begin_ = line_begin_;
      line_begin_ = ++position_;
      return line_size() == 0 ? Found::kEmptyLine : Found::kLine;
    }
    if (byte == '\r') {
      after_cr_ = true;
    } else if (byte == '\n') {
      return Found::kBareLineEnd;
    } else if ((byte < 0x20 && byte != '\t') || byte >= 0x7f) {
      return Found::kControl;
    } else if (fields_ && position_ == line_begin_ && (byte == ' ' || byte == '\t')) {
      return Found::kFold;
    }
  }
  return Found::kNothing;
}

}  // namespace gpumon::http
