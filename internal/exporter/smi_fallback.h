// What NVML lacks of a GPU and nvidia-smi tells.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "internal/base/clock.h"
#include "internal/nvml/gpu.h"
#include "internal/nvml/smi_columns.h"

namespace gpumon::exporter {

struct SmiOptions {
  std::string program;  // a name in PATH or a path; "": never asked
  Millis limit{4000};   // for all that it is asked at a time
  // Of what NVML lacks. Collections closer together than this are one: it is asked once in each.
  Millis pause{10'000};
  Millis after_failure{60'000};
  Millis seldom{600'000};  // from one question for what it lacks too to the next
};

// nvidia-smi is asked on a thread of its own at the end of a collection, for the columns that it
// is known to tell alone; what it told is of use to the next one. While NVML lacks nothing there
// is no thread, and while nvidia-smi lacks the same it is asked seldom.
//
// For one thread. The destructor ends the program that runs, and waits a little for the thread.
class SmiFallback {
 public:
  SmiFallback(SmiOptions options, std::shared_ptr<const Clock> clock);
  ~SmiFallback();
  SmiFallback(const SmiFallback&) = delete;
  SmiFallback& operator=(const SmiFallback&) = delete;

  // Gives `gpu`, as NVML has just told of it, what it lacks and nvidia-smi told of the GPU with
  // that UUID for the collection before. Those columns.
  nvml::SmiColumns Fill(nvml::Gpu& gpu);
  // Each GPU of a collection went through Fill. Waits for nothing.
  void EndCollection();
  bool IsAsking() const;

 private:
  struct Shared;
  struct Question;
  using Lacks = std::map<std::string, nvml::SmiColumns>;  // by the UUID

  std::optional<Question> Next(SteadyTime now, Lacks lacks, bool whole_is_due,
                               const nvml::SmiColumns& useful);

  const std::shared_ptr<Shared> shared_;
  bool has_thread_ = false;
  Lacks lacks_;                      // of this collection
  Lacks asked_;                      // since all was asked for last
  std::optional<SteadyTime> began_;  // the collection before
  Millis gap_;                       // from the one before that to it
};

}  // namespace gpumon::exporter
