// Where the words and values of a command line end.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace gpumon::gpu {

// Linear in the length of the text when it is asked from left to right. Every answer is a place in
// the text, or kNone.
class CommandText {
 public:
  static constexpr std::size_t kNone = std::string_view::npos;

  explicit CommandText(std::string_view text) : text_(text) {}

  std::size_t size() const { return text_.size(); }
  char operator[](std::size_t at) const { return text_[at]; }
  std::string_view Text(std::size_t begin, std::size_t end) const {
    return text_.substr(begin, end - begin);
  }

  std::size_t WordEnd(std::size_t at) const;
  // Of a value, in which `\ ` is a space.
  std::size_t ValueEnd(std::size_t at) const;
  // YAML's `auth:`, and the word `password:` on the next line: what follows that is the value.
  bool IsKeyBelow(std::size_t begin, std::size_t end) const;
  // A value cannot go on at `at`.
  bool IsValueOver(std::size_t at) const;
  // Without the quotes that may close an argument around the value.
  std::size_t TrimmedEnd(std::size_t begin, std::size_t end) const;

  // Behind the bracket that closes the one at `at`, or the end of a text that was cut; kNone where
  // none opens there that holds quoted texts or names: `{"a": "b"}`, `{a: b}`, `('a', 'b')`.
  std::size_t StructureEnd(std::size_t at) const;
  // The next `c`. One that is not there is looked for once.
  std::size_t Find(char c, std::size_t from);
  // Closes the quote before `from`; `\"` and `'\''` do not, unless that one is `escaped` itself.
  std::size_t ClosingQuote(std::size_t from, bool escaped);
  // Of the element whose closing tag has the name [begin, end), and perhaps a prefix: `</a:b`.
  // Empty where there is none.
  struct Part {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  Part ContentBefore(std::size_t name_begin, std::size_t name_end) const;

  // `%3D`, and `%253D` of a URL within a URL.
  struct Escape {
    char character = '\0';
    std::size_t end = 0;  // 0: there is none
  };
  Escape ReadEscape(std::size_t at) const;

 private:
  const std::string_view text_;
  std::array<bool, 128> missing_{};
};

}  // namespace gpumon::gpu
