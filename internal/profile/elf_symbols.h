// Function names out of the running program's own file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gpumon::profile {

// The functions of the main program, those that no other object sees too (the dynamic table has
// only the visible ones). Empty when the file was stripped or cannot be read. Immutable.
class ElfSymbols {
 public:
  // Reads /proc/self/exe.
  ElfSymbols();
  // Reads `path` instead, as loaded at `bias`.
  ElfSymbols(const std::string& path, std::uintptr_t bias);

  // The mangled name of the function that holds `address`; "" when none does.
  std::string_view NameAt(std::uintptr_t address) const;
  std::size_t size() const { return functions_.size(); }

 private:
  struct Function {
    std::uintptr_t begin;
    std::uintptr_t end;
    std::size_t name;  // where it begins in names_
  };
  void Read(const std::string& file);

  std::uintptr_t bias_;
  std::vector<Function> functions_;  // by begin
  std::string names_;                // each ends with NUL
};

}  // namespace gpumon::profile
