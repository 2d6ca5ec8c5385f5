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
    Separate();
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
    Separate();
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
    Separate();
    Append({&bracket, 1});
    comma_ = false;
  }
  void Close(char bracket) {
    Append({&bracket, 1});
    comma_ = true;
  }
  void Separate() {
    if (comma_) Append(",");
  }
  void Append(std::string_view bytes) { size_ += bytes.copy(Room(bytes.size()), bytes.size()); }
  // At least `count` writable bytes at the end of the text; size_ is not moved.
  char* Room(std::size_t count) {
    if (buffer_.size() - size_ < count) Grow(count);
    return buffer_.data() + size_;
  }
  void Grow(std::size_t count);
  void AppendString(std::string_view text);

  std::string buffer_;  // its size is the room there is; the text is its first size_ bytes
  std::size_t size_ = 0;
  bool comma_ = false;  // a value stands before whatever comes next
};

}  // namespace gpumon::json
