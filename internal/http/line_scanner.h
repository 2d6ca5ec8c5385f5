// The bytes that a line of a request head may hold, checked before any parser sees them.
#pragma once

#include <cstddef>
#include <string_view>

namespace gpumon::http {

// Finds the ends of CRLF lines in bytes that arrive in pieces, and refuses what no line of ours
// may hold: a CR or LF alone, NUL and other control characters (HTAB is allowed), bytes >= 0x80,
// and a field line that begins with a space or HTAB (obs-fold). One thread at a time.
class LineScanner {
 public:
  enum class Found { kNothing, kLine, kEmptyLine, kBareLineEnd, kControl, kFold, kTooLong };

  // Begins at the front of the next Next()'s input. `fields`: lines may not begin with a space.
  void Begin(bool fields) { *this = LineScanner(fields); }
  LineScanner() = default;

  // What is wrong with a line: of kBareLineEnd, kFold and kControl.
  static const char* Explain(Found found);

  // Looks at `input` from where the last call stopped; `input` begins where it began then.
  // kTooLong when more than `limit` bytes went by since Begin.
  Found Next(std::string_view input, std::size_t limit);
  // Bytes seen since Begin; just after the line's end on kLine and kEmptyLine.
  std::size_t position() const { return position_; }
  // Where the line just found began, and its length without CRLF.
  std::size_t line_begin() const { return found_begin_; }
  std::size_t line_size() const { return position_ - 2 - found_begin_; }

 private:
  explicit LineScanner(bool fields) : fields_(fields) {}

  std::size_t position_ = 0;
  std::size_t line_begin_ = 0;
  std::size_t found_begin_ = 0;
  bool fields_ = false;
  bool after_cr_ = false;
};

}  // namespace gpumon::http
