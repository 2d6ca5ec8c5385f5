#include "internal/wire/meta.h"

#include "internal/base/text.h"
#include "internal/wire/form.h"

namespace gpumon::wire {

void WriteTexts(json::Writer& writer, std::span<const std::string> texts) {
  writer.BeginArray();
  for (const auto& text : texts) writer.String(text);
  writer.EndArray();
}

void WriteMeta(json::Writer& writer, const Behind& behind, const Page& page) {
  writer.BeginObject();
  writer.Key("as_of");
  writer.String(FormatTime(ToWallTime(behind.as_of)));
  if (behind.window) {
    writer.Key("window");
    writer.BeginObject();
    writer.Key("start");
    writer.String(FormatTime(ToWallTime(behind.window->start)));
    writer.Key("end");
    writer.String(FormatTime(ToWallTime(behind.window->end)));
    writer.Key("step_seconds");
    writer.Number(behind.window->step);
    writer.EndObject();
  }
  writer.Key("stale");
  writer.Bool(page.stale);
  writer.Key("partial");
  writer.Bool(behind.partial || page.partial);
  writer.Key("total");
  writer.Unsigned(page.total);
  writer.Key("limit");
  page.limit ? writer.Unsigned(*page.limit) : writer.Null();
  writer.Key("offset");
  writer.Unsigned(page.offset);
  writer.Key("sources");
  WriteTexts(writer, behind.sources);
  writer.Key("null_reasons");
  writer.BeginObject();
  for (const auto& [field, reason] : behind.null_reasons) {
    writer.Key(field);
    writer.String(models::NameOf(reason));
  }
  writer.EndObject();
  writer.EndObject();
}

}  // namespace gpumon::wire
