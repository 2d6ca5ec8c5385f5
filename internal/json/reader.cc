#include "internal/json/reader.h"

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <limits>

namespace gpumon::json {
namespace {

// kParseFullPrecisionFlag is never among them: it aborts the process on hostile numbers. Numbers
// are handed on as text instead, which also leaves their meaning to whoever knows it.
constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseIterativeFlag |
                            rapidjson::kParseNumbersAsStringsFlag;

// Gives RapidJSON's events to a Handler and stops at the depth cap.
class Events {
 public:
  Events(Handler& handler, std::size_t max_depth) : handler_(handler), max_depth_(max_depth) {}

  bool Null() { return handler_.Null(); }
  bool Bool(bool value) { return handler_.Bool(value); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    return handler_.Number({text, size});
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return handler_.String({text, size});
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) { return handler_.Key({text, size}); }
  bool StartObject() { return Deeper() && handler_.BeginObject(); }
  bool EndObject(rapidjson::SizeType) {
    --depth_;
    return handler_.EndObject();
  }
  bool StartArray() { return Deeper() && handler_.BeginArray(); }
  bool EndArray(rapidjson::SizeType) {
    --depth_;
    return handler_.EndArray();
  }
  // The reader's concept asks for these; as text is all that ever comes.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

  bool too_deep() const { return depth_ > max_depth_; }

 private:
  bool Deeper() { return ++depth_ <= max_depth_; }

  Handler& handler_;
  const std::size_t max_depth_;
  std::size_t depth_ = 0;
};

// Lines are counted in what is left of the text before `offset`: unescaping in place only ever
// shortens strings, which hold no line ends of their own.
tl::unexpected<Status> ErrorAt(std::string_view text, std::size_t offset, std::string what) {
  const std::string_view before = text.substr(0, offset);
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n');
  const std::size_t column =
      offset - (line_start == std::string_view::npos ? 0 : line_start + 1) + 1;
  return Error(Code::kInvalidParameter, std::move(what) + " at byte " + std::to_string(offset) +
                                            " (line " + std::to_string(lines + 1) + ", column " +
                                            std::to_string(column) + ")");
}

}  // namespace

Result<void> ReadInSitu(std::string& text, Handler& handler, const ReadOptions& options) {
  if (text.size() >= std::numeric_limits<rapidjson::SizeType>::max()) {
    return Error(Code::kInvalidParameter, "not JSON: the text is larger than 4 GiB");
  }
  Events events(handler, options.max_depth);
  rapidjson::InsituStringStream stream(text.data());
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, events);
  if (result.IsError()) {
    if (events.too_deep()) {
      return ErrorAt(
          text, result.Offset(),
          "not JSON we read: deeper than " + std::to_string(options.max_depth) + " levels");
    }
    if (result.Code() == rapidjson::kParseErrorTermination) {
      return ErrorAt(text, result.Offset(), "refused");
    }
    std::string reason = rapidjson::GetParseError_En(result.Code());
    if (!reason.empty() && reason.back() == '.') reason.pop_back();
    return ErrorAt(text, result.Offset(), "not JSON: " + reason);
  }
  // A NUL ends RapidJSON's text: what stands behind one would go unseen.
  if (stream.Tell() != text.size()) return ErrorAt(text, stream.Tell(), "not JSON: a NUL byte");
  return {};
}

Result<void> Read(std::string_view text, Handler& handler, const ReadOptions& options) {
  std::string copy(text);
  return ReadInSitu(copy, handler, options);
}

}  // namespace gpumon::json
