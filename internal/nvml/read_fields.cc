// Counters that have a number instead of a function of their own.
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>

#include "internal/nvml/read.h"

namespace gpumon::nvml {
namespace {

using models::Quantity;

constexpr double kKiB = 1024;
constexpr unsigned kEveryLink = std::numeric_limits<unsigned>::max();

// What the numbers of fields are to us.
enum Place : std::size_t {
  kMemoryTemperature,
  kLinks,
  kFlitErrors,
  kDataErrors,
  kReplays,
  kRecoveries,
  kNvlinkSent,
  kNvlinkReceived,
  kPcieSent,
  kPcieReceived,
  kPlaces
};
struct Row {
  unsigned field;
  unsigned scope;
};
constexpr std::array<Row, kPlaces> kRows = {{{82, 0},
                                             {91, 0},
                                             {38, 0},
                                             {45, 0},
                                             {52, 0},
                                             {59, 0},
                                             {138, kEveryLink},
                                             {139, kEveryLink},
                                             {197, 0},
                                             {198, 0}}};
using Fields = std::array<abi::FieldValue, kPlaces>;

// How its union is to be read.
enum Type : unsigned { kDouble, kUnsigned, kUnsignedLong, kUnsignedWide, kSignedWide, kSigned };

bool IsWide(const abi::FieldValue& field) {
  return field.type == kUnsignedLong || field.type == kUnsignedWide || field.type == kSignedWide;
}

template <class T>
double As(const abi::FieldValue& field) {
  T value{};
  std::memcpy(&value, &field.value, sizeof value);
  return static_cast<double>(value);
}

Reading<double> NumberOf(const abi::FieldValue& field, double scale = 1) {
  if (const auto answer = static_cast<Return>(field.answer); answer != Return::kSuccess) {
    return AbsentOf(answer);
  }
  switch (field.type) {
    case kDouble:
      return As<double>(field) * scale;
    case kUnsigned:
      return As<unsigned>(field) * scale;
    case kUnsignedLong:
    case kUnsignedWide:
      return As<std::uint64_t>(field) * scale;
    case kSignedWide:
      return As<std::int64_t>(field) * scale;
    case kSigned:
      return As<int>(field) * scale;
    default:
      return Absent{Absence::kNotSupported, "a number of an unknown kind"};
  }
}

// Bytes in 32 bits are around again within a second: no rate comes of that.
Reading<double> BytesOf(const abi::FieldValue& field) {
  if (field.answer == 0 && !IsWide(field)) {
    return Absent{Absence::kNotSupported, "a counter that is too narrow"};
  }
  return NumberOf(field);
}

Reading<double> ErrorsOf(const Fields& fields) {
  Reading<double> sum = NumberOf(fields[kFlitErrors]);
  for (const Place place : {kDataErrors, kReplays, kRecoveries}) {
    const Reading<double> one = NumberOf(fields[place]);
    if (one) sum = sum.ValueOr(0) + *one;
  }
  return sum;
}

Reading<double> ReadCoder(const Symbols& nvml, const char* function, Device device) {
  unsigned percent = 0;
  unsigned microseconds = 0;
  const Return answer =
      nvml.Call<Device, unsigned*, unsigned*>({function}, device, &percent, &microseconds);
  if (answer != Return::kSuccess) return AbsentOf(answer);
  return static_cast<double>(percent);
}

Reading<double> ReadReplays(const Symbols& nvml, Device device) {
  unsigned replays = 0;
  const Return answer =
      nvml.Call<Device, unsigned*>({"nvmlDeviceGetPcieReplayCounter"}, device, &replays);
  if (answer != Return::kSuccess) return AbsentOf(answer);
  return static_cast<double>(replays);
}

}  // namespace

void ReadFields(const Symbols& nvml, Device device, Gpu& gpu) {
  Readings& values = gpu.values;
  values[Quantity::kEncoderUtilization] =
      ReadCoder(nvml, "nvmlDeviceGetEncoderUtilization", device);
  values[Quantity::kDecoderUtilization] =
      ReadCoder(nvml, "nvmlDeviceGetDecoderUtilization", device);
  values[Quantity::kPcieReplay] = ReadReplays(nvml, device);
  Fields fields{};
  for (std::size_t i = 0; i < kPlaces; ++i) {
    fields[i].field = kRows[i].field;
    fields[i].scope = kRows[i].scope;
  }
  const Return answer = nvml.Call<Device, int, abi::FieldValue*>(
      {"nvmlDeviceGetFieldValues"}, device, static_cast<int>(kPlaces), fields.data());
  if (answer != Return::kSuccess) {
    for (abi::FieldValue& field : fields) field.answer = static_cast<int>(answer);
  }
  values[Quantity::kMemoryTemperature] = NumberOf(fields[kMemoryTemperature]);
  gpu.pcie_sent = BytesOf(fields[kPcieSent]);
  gpu.pcie_received = BytesOf(fields[kPcieReceived]);
  // Of a board without links the rest may be 0 instead of not supported.
  if (const Reading<double> links = NumberOf(fields[kLinks]); links && *links == 0) {
    for (const Place place :
         {kFlitErrors, kDataErrors, kReplays, kRecoveries, kNvlinkSent, kNvlinkReceived}) {
      fields[place].answer = static_cast<int>(Return::kNotSupported);
    }
  }
  values[Quantity::kNvlinkErrors] = ErrorsOf(fields);
  gpu.nvlink_sent = NumberOf(fields[kNvlinkSent], kKiB);
  gpu.nvlink_received = NumberOf(fields[kNvlinkReceived], kKiB);
}

}  // namespace gpumon::nvml
