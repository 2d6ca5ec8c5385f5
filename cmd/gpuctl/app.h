// gpuctl: one command line for the fleet, the node and the services around it.
#pragma once

#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "internal/config/options.h"

namespace gpumon::ctl {

// What a command exits with that does not say otherwise.
enum Exit : int {
  kWell = 0,
  kFindings = 1,  // warnings were found
  kUsage = 2,     // wrong arguments, with one line that says which
  kNoAnswer = 3,  // the server cannot be reached, or does not answer as it should
  kNoOutput = 4,  // not all of the output could be written
};

// One row per command.
struct Command {
  std::string_view name;  // one word, or two: "check all"
  std::string_view summary;
  std::string_view usage;    // behind the name
  std::string_view details;  // paragraphs of --help, at most 80 columns
  config::Rows (*options)();
  int (*run)(const config::Values& values, std::ostream& out, std::ostream& err);
  int usage_code = kUsage;  // wrong arguments
  // The flags that arguments without one are the values of, in this order: "--task", or several
  // with blanks between.
  std::string_view operand = {};
  // What the first of those may be, with blanks between; "" where it is not one of some words.
  std::string_view words = {};
};
std::span<const Command> Commands();

// The whole program. The exit code is an Exit.
int Run(std::span<const std::string> arguments, const config::Environment& environment,
        std::ostream& out, std::ostream& err);

}  // namespace gpumon::ctl
