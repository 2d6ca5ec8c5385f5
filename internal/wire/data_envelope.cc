#include "internal/wire/data_envelope.h"

#include "internal/wire/form.h"

namespace gpumon::wire {

DataEnvelope::DataEnvelope(std::size_t expected_size) : writer_(expected_size) {
  writer_.BeginObject();
  writer_.Key("success");
  writer_.Bool(true);
  writer_.Key("data");
  data_begin_ = writer_.size();
}

Encoded DataEnvelope::Finish(std::string_view message, const std::vector<std::string>& warnings,
                             const Behind& behind, const Page& page) {
  const std::size_t data_end = writer_.size();
  writer_.Key("message");
  writer_.String(message);
  writer_.Key("error");
  writer_.Null();
  const std::size_t warnings_begin = writer_.size();
  if (const auto all = WarningsOf(warnings, page); !all.empty()) {
    writer_.Key("warnings");
    WriteTexts(writer_, all);
  }
  const std::size_t warnings_end = writer_.size();
  writer_.Key("meta");
  WriteMeta(writer_, behind, page);
  writer_.EndObject();

  const std::string_view text = writer_.view();
  Encoded encoded;
  encoded.etag = Tag(text.substr(data_begin_, data_end - data_begin_),
                     text.substr(warnings_begin, warnings_end - warnings_begin));
  encoded.body = writer_.Take();
  return encoded;
}

}  // namespace gpumon::wire
