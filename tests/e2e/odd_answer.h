// Answers of Prometheus that are odd and no failure, and what a client then sees.
#pragma once

#include <cstddef>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "tests/fakes/fault/fault_server.h"

namespace gpumon::e2e {

struct OddAnswer {
  int row;  // of the fault matrix, see fault_matrix_test.cc
  const char* name;
  fault::FaultServer::Script script;  // instead of FleetReply
  std::size_t rows;                   // of the list of GPUs
  const char* warning;                // a part of one of the warnings; "": there is none
  const char* null_field = "";        // of the first row; "": it has what the fleet has
  const char* reason = "";
  bool partial = false;
};
std::ostream& operator<<(std::ostream& out, const OddAnswer& answer);

std::vector<OddAnswer> OddAnswers();

}  // namespace gpumon::e2e
