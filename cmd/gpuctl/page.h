// Text for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gpumon::ctl {

// Lines of at most `columns` bytes, without control characters whatever is printed: texts come from
// exporters. A value type.
class Page {
 public:
  static constexpr std::size_t kColumns = 80;

  explicit Page(std::size_t columns = kColumns) : columns_(columns) {}

  void Blank() { text_ += '\n'; }
  // `text` wrapped; the first line begins with `head`, the others with as many blanks, or with
  // `hang` blanks.
  void Wrap(std::string_view head, std::string_view text, std::size_t hang = kColumns);
  // Whole lines as they are; who gives them sees to their width.
  void Raw(std::string_view lines) { text_ += lines; }
  const std::string& text() const { return text_; }

 private:
  std::size_t columns_;
  std::string text_;
};

// `text` with blanks behind (before, when `right`) up to `width`.
std::string Padded(std::string_view text, std::size_t width, bool right = false);

}  // namespace gpumon::ctl
