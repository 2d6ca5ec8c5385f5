#include "tests/fakes/nvml/script.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/fakes/nvml/fake_nvml.h"

namespace gpumon::fake_nvml {
namespace {

std::string Rest(std::istringstream& line) {
  std::string text;
  std::getline(line >> std::ws, text);
  return text;
}

Process ReadProcess(const std::string& kind, std::istringstream& line) {
  Process process{kind, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF};
  std::string bytes;
  line >> process.pid >> bytes;
  process.bytes = bytes == "-" ? ~std::uint64_t{0} : std::stoull(bytes);
  if (unsigned id = 0; line >> id) {
    process.gpu_instance = id;
    line >> process.compute_instance;
  }
  return process;
}

Thing ReadInstance(std::istringstream& line) {
  Thing instance;
  std::uint64_t gpu_instance = 0;
  std::uint64_t compute_instance = 0;
  std::uint64_t total = 0;
  std::uint64_t used = 0;
  line >> gpu_instance >> compute_instance >> total >> used >> instance.texts["uuid"];
  instance.numbers["ids"] = {gpu_instance, compute_instance};
  instance.numbers["memory"] = {total, 0, total - used, used};
  instance.texts["name"] = Rest(line);
  return instance;
}

void ReadLine(const std::string& word, std::istringstream& line, Script& script) {
  Thing& thing = script.gpus.empty() ? script.system : script.gpus.back();
  if (word == "gpu") {
    script.gpus.emplace_back();
  } else if (word == "command") {
    unsigned pid = 0;
    line >> pid;
    script.commands[pid] = Rest(line);
  } else if (word == "error") {
    std::string function;
    int code = 0;
    line >> function >> code;
    thing.errors[function] = code;
  } else if (word == "hang") {
    std::string function;
    line >> function;
    thing.hangs[function] = Rest(line);
  } else if (word == "live") {
    script.live = true;
  } else if (word == "generation") {
    line >> script.generation;
  } else if (word == "xid") {
    XidEvent& xid = script.xids.emplace_back();
    line >> xid.gpu >> xid.code;
    if (unsigned id = 0; line >> id) xid.gpu_instance = id;
  } else if (word == "field" || word == "narrow_field") {
    std::string id;
    std::uint64_t number = 0;
    line >> id >> number;
    thing.numbers[word + id] = {number};
  } else if (word == "compute" || word == "graphics") {
    thing.processes.push_back(ReadProcess(word, line));
  } else if (word == "instance") {
    thing.instances.push_back(ReadInstance(line));
  } else if (word == "name" || word == "uuid" || word == "serial" || word == "driver" ||
             word == "nvml") {
    thing.texts[word] = Rest(line);
  } else {
    auto& numbers = thing.numbers[word];
    for (std::uint64_t number = 0; line >> number;) numbers.push_back(number);
  }
}

}  // namespace

Script ReadScript() {
  Script script;
  const char* const path = std::getenv(kScriptVariable);
  std::ifstream file(path == nullptr ? "/dev/null" : path);
  for (std::string text; std::getline(file, text);) {
    std::istringstream line(text);
    std::string word;
    if (line >> word) ReadLine(word, line, script);
  }
  return script;
}

}  // namespace gpumon::fake_nvml
