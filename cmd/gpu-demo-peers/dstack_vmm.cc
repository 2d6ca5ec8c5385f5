#include "cmd/gpu-demo-peers/dstack_vmm.h"

#include <array>
#include <string>
#include <string_view>

#include "internal/exporter/families.h"

namespace gpumon::demo {
namespace {

// What `lspci -nn` says of the fleet's boards.
struct Product {
  std::string_view model;
  std::string_view product_id;
  std::string_view description;
};
constexpr std::array kProducts = {
    Product{"NVIDIA H100 80GB HBM3", "10de:2330", "NVIDIA Corporation GH100 [H100 SXM5 80GB]"},
    Product{"NVIDIA A100-SXM4-80GB", "10de:20b2", "NVIDIA Corporation GA100 [A100 SXM4 80GB]"},
    Product{"NVIDIA L40S", "10de:26b9", "NVIDIA Corporation AD102GL [L40S]"},
    Product{"NVIDIA GeForce RTX 4090", "10de:2684", "NVIDIA Corporation AD102 [GeForce RTX 4090]"},
};

const Product& ProductOf(std::string_view model) {
  for (const Product& product : kProducts) {
    if (product.model == model) return product;
  }
  return kProducts.front();
}

}  // namespace

std::vector<Row> DstackVmm::Rows() const {
  const auto list = [this](const Question& question) { return ListGpus(question.now); };
  return {{"GET", "/prpc/ListGpus", list}, {"POST", "/prpc/ListGpus", list}};
}

Answer DstackVmm::ListGpus(WallTime now) const {
  const exporter::FleetState state = fleet_.At(now);
  json::Writer out;
  out.BeginObject();
  out.Key("gpus");
  out.BeginArray();
  for (const exporter::GpuState& gpu : state.gpus) {
    if (gpu.node != 0 || !gpu.present) continue;
    const Product& product = ProductOf(gpu.model->name);
    out.BeginObject();
    // The VMM leaves the domain out.
    Put(out, "slot", exporter::PciBusId(gpu).substr(std::string_view("00000000:").size()));
    Put(out, "product_id", product.product_id);
    Put(out, "description", std::string(product.description) + " (demo)");
    Put(out, "is_free", gpu.pod < 0);
    PutMark(out);
    out.EndObject();
  }
  out.EndArray();
  Put(out, "allow_attach_all", true);
  PutMark(out);
  out.EndObject();
  return {.status = 200, .body = out.Take()};
}

}  // namespace gpumon::demo
