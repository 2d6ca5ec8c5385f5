// Writes JSON text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gpumon::json {

// Appends one JSON text to a buffer of its own; commas and colons are its business. The calls must
// nest as JSON does (a Key before every value inside an object): that is not checked.
// What it writes is valid UTF-8, whatever bytes it is given. One thread at a time.
class Writer {
 public:
  Writer() = default;
  // `expected_size` in bytes: no growth, and so no copy, up to there.
  explicit Writer(std::size_t expected_size) { Reserve(expected_size); }

  void Reserve(std::size_t expected_size);

  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }

  void Key(std::string_view name);
  // A key whose text is known beforehand: `"name":`, as KeyText makes it, quotes and colon
  // included. One copy of bytes.
  void RawKey(std::string_view key_text) {
    Append(key_text);
    comma_ = false;
  }
  static std::string KeyText(std::string_view name);

  // Control characters are escaped; each byte that is no UTF-8 character becomes U+FFFD.
  void String(std::string_view text);
  // The shortest text that reads back as the same double, always with a fraction or an exponent
  // (8.0); NaN and the infinities, which JSON lacks, are written as null.
  void Number(double value);
  void Integer(std::int64_t value);
  void Unsigned(std::uint64_t value);
  void Bool(bool value) { Raw(value ? std::string_view("true") : std::string_view("false")); }
  void Null() { Raw("null"); }
  // `json` must be one whole JSON value: it is copied as it is.
  void Raw(std::string_view json) {
    Append(json);
    comma_ = true;
  }

  std::size_t size() const { return size_; }
  // Valid until the next call.
  std::string_view view() const { return {buffer_.data(), size_}; }
  // Moves the text out and leaves an empty writer.
  std::string Take();

 private:
  void Open(char bracket) {
    Append({&bracket, 1});
    comma_ = false;
  }
  void Close(char bracket) {
    comma_ = false;
    Append({&bracket, 1});
    comma_ = true;
  }
  // `bytes`, after the comma where one is due.
  void Append(std::string_view bytes) {
    char* const to = Room(bytes.size());
    SetEnd(to + bytes.copy(to, bytes.size()));
  }
  // The place for at least `count` bytes at the end of the text, behind the comma where one is
  // due; size_ is not moved.
  char* Room(std::size_t count) {
    if (buffer_.size() - size_ <= count) Grow(count + 1);
    char* const to = buffer_.data() + size_;
    *to = ',';
    return to + (comma_ ? 1 : 0);
  }
  void SetEnd(const char* end) { size_ = static_cast<std::size_t>(end - buffer_.data()); }
  void Grow(std::size_t count);
  // Writes `text` as a JSON string, leaves room for `more` bytes and returns where they go.
  char* Quote(std::string_view text, std::size_t more);

  std::string buffer_;  // its size is the room there is; the text is its first size_ bytes
  std::size_t size_ = 0;
  bool comma_ = false;  // a value stands before whatever comes next
};

}  // namespace gpumon::json
