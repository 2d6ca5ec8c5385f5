#include "internal/wire/encode.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>

#include "internal/base/text.h"
#include "internal/json/writer.h"
#include "internal/wire/data_envelope.h"
#include "internal/wire/form.h"
#include "internal/wire/meta.h"
#include "internal/wire/throttle.h"

namespace gpumon::wire {
namespace {

using json::Writer;
using models::NullReason;
using models::Text;

constexpr std::size_t kBytesPerCell = 32;

// Rows of one scrape share their time: its text is made once.
class TimeText {
 public:
  const std::string& Of(double unix_seconds) {
    if (unix_seconds != last_) {
      last_ = unix_seconds;
      text_ = FormatTime(ToWallTime(unix_seconds));
    }
    return text_;
  }

 private:
  double last_ = -1;
  std::string text_;
};

void WriteTextOrNull(Writer& writer, std::string_view text) {
  if (text.empty()) {
    writer.Null();
  } else {
    writer.String(text);
  }
}

class RowWriter {
 public:
  RowWriter(Writer& writer, const Table& table, const Page& page)
      : writer_(writer), table_(table), page_(page) {
    for (const auto f : page.fields) {
      const auto& field = table.fields()[f];
      keys_.push_back(Writer::KeyText(field.name));
      counts_.push_back(field.unit == "bytes" || field.unit == "MiB");
    }
  }

  void Write(std::size_t row) {
    writer_.BeginObject();
    for (std::size_t i = 0; i < page_.fields.size(); ++i) WriteField(row, i);
    writer_.EndObject();
  }

  // Behind its key.
  RowTexts::Row WriteKeyed(std::size_t row, std::string_view key) {
    RowTexts::Row written;
    writer_.BeginObject();
    written.begin = writer_.size() - 1;
    writer_.Key("key");
    writer_.String(key);
    std::size_t read = writer_.size();
    const auto take = [&](std::size_t end) {
      const std::size_t more =
          std::hash<std::string_view>()(writer_.view().substr(read, end - read));
      written.fingerprint = written.fingerprint * 0x9E3779B97F4A7C15U + more;
    };
    for (std::size_t i = 0; i < page_.fields.size(); ++i) {
      const models::From from = table_.fields()[page_.fields[i]].from;
      const bool is_time = from == models::From::kTimestamp || from == models::From::kAge;
      if (is_time) take(writer_.size());
      WriteField(row, i);
      if (is_time) read = writer_.size();
    }
    writer_.EndObject();
    written.end = writer_.size();
    take(written.end);
    return written;
  }

 private:
  void WriteField(std::size_t row, std::size_t i) {
    writer_.RawKey(keys_[i]);
    WriteCell(row, table_.cell(row, page_.fields[i]), counts_[i]);
  }

  void WriteCell(std::size_t row, const Cell& cell, bool counts) {
    switch (cell.type) {
      case Cell::Type::kNull:
        return writer_.Null();
      case Cell::Type::kNumber:
        return counts ? WriteCount(cell.number) : writer_.Number(cell.number);
      case Cell::Type::kInteger:
        return writer_.Integer(cell.integer);
      case Cell::Type::kText:
        return writer_.String(cell.text);
      case Cell::Type::kTime:
        return writer_.String(time_.Of(cell.number));
      case Cell::Type::kThrottle:
        return WriteThrottle(cell.integer);
      case Cell::Type::kMig:
        return WriteMig(row);
      case Cell::Type::kWorkloads:
        return WriteWorkloads(row);
      case Cell::Type::kReasons:
        return WriteReasons(row);
    }
  }

  // 1024, not 1024.0: bytes are counted, not measured.
  void WriteCount(double count) {
    constexpr double kExact = 9007199254740992;  // 2^53
    if (count == std::floor(count) && std::abs(count) <= kExact) {
      writer_.Integer(static_cast<std::int64_t>(count));
    } else {
      writer_.Number(count);
    }
  }

  void WriteWorkloads(std::size_t row) {
    writer_.BeginArray();
    for (const models::Workload& workload : table_.workloads(row)) {
      writer_.BeginObject();
      writer_.Key("namespace");
      WriteTextOrNull(writer_, workload.name_space);
      writer_.Key("pod");
      WriteTextOrNull(writer_, workload.pod);
      writer_.Key("container");
      WriteTextOrNull(writer_, workload.container);
      writer_.Key("share");
      WriteShare(workload);
      writer_.EndObject();
    }
    writer_.EndArray();
  }

  // null: the pod has the GPU alone, or nobody measures its part.
  void WriteShare(const models::Workload& workload) {
    struct Part {
      std::string_view key;
      double value;
      NullReason why;
    };
    const std::array parts = {
        Part{"utilization", workload.utilization, workload.no_utilization},
        Part{"memory_used_bytes", workload.memory_used, workload.no_memory_used},
        Part{"memory_limit_bytes", workload.memory_limit, workload.no_memory_limit}};
    const auto is_known = [](const Part& part) { return !std::isnan(part.value); };
    const auto is_nobodys = [&](const Part& part) {
      return !is_known(part) && part.why == NullReason::kNotExported;
    };
    if (std::all_of(parts.begin(), parts.end(), is_nobodys)) return writer_.Null();
    writer_.BeginObject();
    for (const Part& part : parts) {
      writer_.Key(part.key);
      if (is_known(part)) {
        WriteCount(part.value);
      } else {
        writer_.Null();
      }
    }
    if (!std::all_of(parts.begin(), parts.end(), is_known)) {
      writer_.Key("null_reasons");
      writer_.BeginObject();
      for (const Part& part : parts) {
        if (is_known(part)) continue;
        writer_.Key(part.key);
        writer_.String(models::NameOf(part.why));
      }
      writer_.EndObject();
    }
    writer_.EndObject();
  }

  void WriteMig(std::size_t row) {
    static constexpr std::array kKeys = {
        std::pair("gpu_instance_id", Text::kMigGpuInstance),
        std::pair("compute_instance_id", Text::kMigComputeInstance),
        std::pair("profile", Text::kMigProfile), std::pair("uuid", Text::kMigUuid)};
    writer_.BeginObject();
    for (const auto& [key, text] : kKeys) {
      writer_.Key(key);
      WriteTextOrNull(writer_, table_.text(row, text));
    }
    writer_.EndObject();
  }

  void WriteThrottle(std::int64_t mask) {
    writer_.BeginArray();
    VisitThrottleNames(mask, [this](std::string_view name) { writer_.String(name); });
    writer_.EndArray();
  }

  void WriteReasons(std::size_t row) {
    writer_.BeginObject();
    for (const auto f : page_.fields) {
      if (table_.shared_reason(f) != NullReason::kNone) continue;
      const NullReason reason = table_.reason(row, f);
      if (reason == NullReason::kNone) continue;
      writer_.Key(table_.fields()[f].name);
      writer_.String(models::NameOf(reason));
    }
    writer_.EndObject();
  }

  Writer& writer_;
  const Table& table_;
  const Page& page_;
  std::vector<std::string> keys_;
  std::vector<bool> counts_;  // the field's unit is counted in whole ones
  TimeText time_;
};

bool IsAsked(const Page& page, std::size_t field) {
  return !page.chosen_fields ||
         std::find(page.fields.begin(), page.fields.end(), field) != page.fields.end();
}

Behind BehindOf(const Table& table, const Page& page) {
  const auto& snapshot = table.snapshot();
  Behind behind{snapshot.as_of, snapshot.partial, snapshot.sources, {}};
  for (std::size_t f = 0; f < table.fields().size(); ++f) {
    if (table.shared_reason(f) == NullReason::kNone || !IsAsked(page, f)) continue;
    behind.null_reasons.emplace_back(table.fields()[f].name, table.shared_reason(f));
  }
  return behind;
}

std::string_view TypeName(models::From from) {
  switch (from) {
    case models::From::kReading:
    case models::From::kAge:
      return "number";
    case models::From::kInteger:
    case models::From::kGpuIndex:
    case models::From::kPid:
      return "integer";
    case models::From::kText:
      return "string";
    case models::From::kTimestamp:
      return "timestamp";
    case models::From::kThrottle:
    case models::From::kWorkloads:
      return "array";
    case models::From::kMig:
    case models::From::kReasons:
      return "object";
  }
  return "";
}

}  // namespace

std::vector<std::string> WarningsOf(std::vector<std::string> warnings, const Page& page) {
  warnings.insert(warnings.end(), page.warnings.begin(), page.warnings.end());
  if (page.stale) {
    warnings.insert(warnings.begin(), "stale: " + std::string(page.upstream) +
                                          " gave nothing newer (" + std::string(page.stale_code) +
                                          "); this is the last good snapshot");
  }
  return warnings;
}

Page WholePage(const Table& table) {
  Page page;
  page.rows.resize(table.size());
  std::iota(page.rows.begin(), page.rows.end(), 0U);
  for (std::size_t f = 0; f < table.fields().size(); ++f) {
    if (table.shown(f)) page.fields.push_back(static_cast<std::uint16_t>(f));
  }
  page.total = table.size();
  return page;
}

std::string EncodeRow(const Table& table, const Page& page, std::size_t row) {
  Writer writer;
  RowWriter(writer, table, page).Write(row);
  return writer.Take();
}

RowTexts EncodeRows(const Table& table, const Page& page, const std::vector<std::string>& keys) {
  Writer writer(64 + table.size() * (page.fields.size() + 1) * kBytesPerCell);
  RowTexts texts;
  texts.rows.reserve(table.size());
  writer.BeginArray();
  RowWriter rows(writer, table, page);
  for (std::size_t row = 0; row < table.size(); ++row) {
    texts.rows.push_back(rows.WriteKeyed(row, keys[row]));
  }
  writer.EndArray();
  texts.text = writer.Take();
  return texts;
}

std::string EncodeSharedReasons(const Table& table, const Page& page) {
  Writer writer;
  writer.BeginObject();
  for (const auto& [field, reason] : BehindOf(table, page).null_reasons) {
    writer.Key(field);
    writer.String(models::NameOf(reason));
  }
  writer.EndObject();
  return writer.Take();
}

Encoded EncodeList(const Table& table, const Page& page, std::string_view message) {
  DataEnvelope envelope(1024 + page.rows.size() * page.fields.size() * kBytesPerCell);
  Writer& data = envelope.data();
  data.BeginArray();
  RowWriter rows(data, table, page);
  for (const auto row : page.rows) rows.Write(row);
  data.EndArray();
  return envelope.Finish(message, table.snapshot().warnings, BehindOf(table, page), page);
}

std::string EncodeEnvelope(const models::Envelope& envelope) {
  Writer writer(256 + envelope.data.size() + envelope.meta.size());
  writer.BeginObject();
  writer.Key("success");
  writer.Bool(envelope.success);
  writer.Key("data");
  writer.Raw(envelope.data);
  writer.Key("message");
  WriteTextOrNull(writer, envelope.message);
  writer.Key("error");
  WriteTextOrNull(writer, envelope.error);
  if (!envelope.code.empty()) {
    writer.Key("code");
    writer.String(envelope.code);
  }
  if (!envelope.warnings.empty()) {
    writer.Key("warnings");
    WriteTexts(writer, envelope.warnings);
  }
  if (!envelope.meta.empty()) {
    writer.Key("meta");
    writer.Raw(envelope.meta);
  }
  writer.EndObject();
  return writer.Take();
}

std::string EncodeError(const Status& status) {
  models::Envelope envelope;
  envelope.success = false;
  envelope.error = status.message;
  envelope.code = status.wire_name();
  return EncodeEnvelope(envelope);
}

Encoded EncodeFields(std::string_view message) {
  Writer writer;
  writer.BeginArray();
  for (const models::Part part : {models::Part::kGpus, models::Part::kProcesses}) {
    for (const auto& field : FieldsOf(part)) {
      writer.BeginObject();
      writer.Key("name");
      writer.String(field.name);
      writer.Key("list");
      writer.String(part == models::Part::kGpus ? "metrics" : "processes");
      writer.Key("type");
      writer.String(TypeName(field.from));
      writer.Key("unit");
      WriteTextOrNull(writer, field.unit);
      writer.Key("always");
      writer.Bool(field.always);
      writer.Key("help");
      writer.String(field.help);
      writer.EndObject();
    }
  }
  writer.EndArray();
  models::Envelope envelope;
  envelope.data = writer.view();
  envelope.message = message;
  return {EncodeEnvelope(envelope), Tag(writer.view(), {})};
}

}  // namespace gpumon::wire
