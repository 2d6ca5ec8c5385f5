// The envelope of a good answer whose data is large: it is written in place and copied nowhere.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "internal/json/writer.h"
#include "internal/wire/encode.h"
#include "internal/wire/meta.h"

namespace gpumon::wire {

class DataEnvelope {
 public:
  // Of the whole text, in bytes; 0: not known.
  explicit DataEnvelope(std::size_t expected_size);

  // Where one value, the data, is to be written.
  json::Writer& data() { return writer_; }

  // Once, last. `warnings` and those that the page adds.
  Encoded Finish(std::string_view message, const std::vector<std::string>& warnings,
                 const Behind& behind, const Page& page);

 private:
  json::Writer writer_;
  std::size_t data_begin_ = 0;
};

}  // namespace gpumon::wire
