#include "internal/dstack/gpus.h"

#include <array>
#include <utility>

#include "internal/json/document.h"
#include "internal/json/writer.h"

namespace gpumon::dstack {
namespace {

struct TextField {
  std::string_view name;
  std::string Gpu::*value;
};
constexpr std::array kTexts = {TextField{"slot", &Gpu::slot},
                               TextField{"description", &Gpu::description},
                               TextField{"product_id", &Gpu::product_id}};

tl::unexpected<Status> NotA(const std::string& field, std::string_view type) {
  return Error(Code::kUpstreamInvalid, field + " is missing or no " + std::string(type));
}

Result<Gpu> GpuOf(const json::Value& value, std::size_t place) {
  const std::string where = "gpus[" + std::to_string(place) + "]";
  if (!value.is_object()) return NotA(where, "object");
  Gpu gpu;
  for (const TextField& field : kTexts) {
    const std::string* const text = value[field.name].AsString();
    if (text == nullptr) return NotA(where + '.' + std::string(field.name), "text");
    gpu.*field.value = *text;
  }
  const auto is_free = value["is_free"].AsBool();
  if (!is_free) return NotA(where + ".is_free", "true or false");
  gpu.is_free = *is_free;
  return gpu;
}

}  // namespace

Result<GpuList> ParseGpuList(std::string_view text) {
  const auto document = json::ParseDocument(text);
  if (!document) return Error(Code::kUpstreamInvalid, "the answer is no JSON");
  if (!document->is_object()) return Error(Code::kUpstreamInvalid, "the answer is no object");
  const json::Value& gpus = (*document)["gpus"];
  if (!gpus.is_array()) return NotA("gpus", "list");
  GpuList list;
  for (const json::Value& one : gpus.elements()) {
    auto gpu = GpuOf(one, list.gpus.size());
    if (!gpu) return Error(gpu.error());
    list.gpus.push_back(*std::move(gpu));
  }
  const auto attach = (*document)["allow_attach_all"].AsBool();
  if (!attach) return NotA("allow_attach_all", "true or false");
  list.allow_attach_all = *attach;
  return list;
}

std::string MetadataOf(const GpuList& list) {
  json::Writer writer;
  writer.BeginObject();
  writer.Key("gpu_count");
  writer.Unsigned(list.gpus.size());
  writer.Key("gpus");
  writer.BeginArray();
  for (const Gpu& gpu : list.gpus) {
    writer.BeginObject();
    for (const TextField& field : kTexts) {
      writer.Key(field.name);
      writer.String(gpu.*field.value);
    }
    writer.Key("is_free");
    writer.Bool(gpu.is_free);
    writer.EndObject();
  }
  writer.EndArray();
  writer.Key("allow_attach_all");
  writer.Bool(list.allow_attach_all);
  writer.EndObject();
  return writer.Take();
}

}  // namespace gpumon::dstack
