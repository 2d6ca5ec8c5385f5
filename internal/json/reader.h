// Reads JSON text as a row of events.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "internal/base/result.h"

namespace gpumon::json {

// Receives the events of one text, in its order. Each returns false to end the reading there.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual bool Null() = 0;
  virtual bool Bool(bool value) = 0;
  // As it stands in the text, by JSON's grammar: never NaN, a leading plus or a bare dot.
  virtual bool Number(std::string_view text) = 0;
  // Escapes are already resolved. See the readers for how long the views live.
  virtual bool String(std::string_view text) = 0;
  virtual bool Key(std::string_view name) = 0;
  virtual bool BeginObject() = 0;
  virtual bool EndObject() = 0;
  virtual bool BeginArray() = 0;
  virtual bool EndArray() = 0;
  // Behind BeginArray: a handler may read the front of an array by itself, where that is quicker.
  // `rest` is the text behind the bracket, with all that follows the array. Returns how many bytes
  // of it the handler has read: 0, or whole elements, each with the comma behind it. The reader
  // goes on behind them and gives no events of them. JSON's grammar is the handler's to keep there.
  virtual std::size_t TakeElements(std::string_view rest);
};

struct ReadOptions {
  std::size_t max_depth = 64;  // arrays and objects inside each other
};

// Reads exactly one JSON text with nothing but white space after it. The stack used does not grow
// with the text's depth.
//
// Error kInvalidParameter, saying what is wrong at which byte (counted from 0), line and column
// (from 1), never quoting the text: it is not JSON, it is nested too deep, or the handler ended it
// ("refused").
Result<void> Read(std::string_view text, Handler& handler, const ReadOptions& options = {});

// The same without a copy: strings are unescaped where they stand, so the text is spoilt, and
// views given to the handler are views into `text` that stay valid as long as it is left alone.
// Bytes that are not UTF-8 pass through; escapes always give UTF-8.
Result<void> ReadInSitu(std::string& text, Handler& handler, const ReadOptions& options = {});

}  // namespace gpumon::json
