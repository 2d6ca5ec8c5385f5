#include <cstdint>
#include <optional>
#include <utility>

#include "internal/base/text.h"
#include "internal/grpc/pod_resources.h"

namespace gpumon::grpc {
namespace {

// The fields of one message, one after the other. Broken bytes end it, and IsBroken says so.
class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  // The next field that holds bytes: a text or a message. Numbers are passed over.
  bool Next() {
    while (!rest_.empty()) {
      const auto key = Varint();
      if (!key) return Break();
      number_ = *key >> 3U;
      switch (*key & 7U) {
        case 0:
          if (!Varint()) return Break();
          break;
        case 1:
          if (!Take(8)) return Break();
          break;
        case 2: {
          const auto size = Varint();
          if (!size || !Take(*size)) return Break();
          return true;
        }
        case 5:
          if (!Take(4)) return Break();
          break;
        default:
          return Break();
      }
    }
    return false;
  }
  std::uint64_t number() const { return number_; }
  std::string_view bytes() const { return bytes_; }
  std::string text() const { return ToValidUtf8(bytes_); }
  bool IsBroken() const { return broken_; }

 private:
  bool Break() {
    broken_ = true;
    rest_ = {};
    return false;
  }

  std::optional<std::uint64_t> Varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  bool Take(std::uint64_t size) {
    if (size > rest_.size()) return false;
    bytes_ = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
  std::string_view bytes_;
  std::uint64_t number_ = 0;
  bool broken_ = false;
};

// ContainerDevices: resource_name = 1, device_ids = 2.
bool ReadDevices(std::string_view bytes, models::DeviceHolder& holder) {
  Message message(bytes);
  while (message.Next()) {
    if (message.number() == 1) holder.resource = message.text();
    if (message.number() == 2) holder.devices.push_back(message.text());
  }
  return !message.IsBroken();
}

// ContainerResources: name = 1, devices = 2. Fields may come in any order.
bool ReadContainer(std::string_view bytes, std::vector<models::DeviceHolder>& holders) {
  Message message(bytes);
  std::string name;
  const std::size_t first = holders.size();
  while (message.Next()) {
    if (message.number() == 1) name = message.text();
    if (message.number() == 2 && !ReadDevices(message.bytes(), holders.emplace_back())) {
      return false;
    }
  }
  for (std::size_t i = first; i < holders.size(); ++i) holders[i].container = name;
  return !message.IsBroken();
}

// PodResources: name = 1, namespace = 2, containers = 3.
bool ReadPod(std::string_view bytes, std::vector<models::DeviceHolder>& holders) {
  Message message(bytes);
  std::string name;
  std::string name_space;
  const std::size_t first = holders.size();
  while (message.Next()) {
    if (message.number() == 1) name = message.text();
    if (message.number() == 2) name_space = message.text();
    if (message.number() == 3 && !ReadContainer(message.bytes(), holders)) return false;
  }
  for (std::size_t i = first; i < holders.size(); ++i) {
    holders[i].pod = name;
    holders[i].name_space = name_space;
  }
  return !message.IsBroken();
}

}  // namespace

Result<std::vector<models::DeviceHolder>> ReadPodResources(std::string_view bytes) {
  std::vector<models::DeviceHolder> holders;
  // ListPodResourcesResponse: pod_resources = 1.
  Message message(bytes);
  bool whole = true;
  while (whole && message.Next()) {
    if (message.number() == 1) whole = ReadPod(message.bytes(), holders);
  }
  if (!whole || message.IsBroken()) {
    return Error(
        Code::kUpstreamInvalid,
        "the kubelet's list of pod resources cannot be read; is its socket the right one?");
  }
  return holders;
}

}  // namespace gpumon::grpc
