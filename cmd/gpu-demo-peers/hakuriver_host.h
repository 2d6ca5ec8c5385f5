// Stands in for the host of a HakuRiver (today's KohakuRiver: all paths under /api) whose nodes are
// the fleet's, and one more that is offline.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cmd/gpu-demo-peers/hakuriver_tasks.h"
#include "cmd/gpu-demo-peers/peer.h"

namespace gpumon::demo {

// One thread at a time. kill, pause and resume are remembered until the program ends.
class HakuRiverHost {
 public:
  // `fleet` must outlive this object, and both its rows.
  explicit HakuRiverHost(const exporter::Fleet& fleet) : fleet_(fleet) {}
  std::vector<Row> Rows();

 private:
  Answer Nodes(const Question& question) const;
  Answer Health(const Question& question) const;
  Answer Tasks(const Question& question) const;
  Answer Vps(const Question& question, bool active_only) const;
  Answer Status(const Question& question) const;
  Answer Log(const Question& question, bool errors) const;
  Answer Give(const Question& question, Command::Kind kind);
  // Of the task that the path names; `answer` is called with it, else the refusal comes back.
  template <class Use>
  Answer WithTask(const Question& question, const Use& use) const;

  const exporter::Fleet& fleet_;
  Commands commands_;
};

}  // namespace gpumon::demo
