#include <cxxabi.h>
#include <dlfcn.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>

#include "internal/profile/elf_symbols.h"
#include "internal/profile/profile.h"

namespace gpumon::profile {
namespace {

std::string Readable(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> readable(
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free);
  return status == 0 && readable != nullptr ? readable.get() : mangled;
}

std::string NameOf(const ElfSymbols& program, std::uintptr_t address) {
  // Views of ElfSymbols end with NUL.
  if (const auto name = program.NameAt(address); !name.empty()) return Readable(name.data());
  Dl_info info{};
  // An address is a number that a client sent: it is looked up, never followed.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  if (dladdr(reinterpret_cast<const void*>(address), &info) == 0 || info.dli_sname == nullptr) {
    return {};
  }
  return Readable(info.dli_sname);
}

}  // namespace

std::string SymbolCount() {
  return "num_symbols: 1\n";
}

std::string LookUpSymbols(std::string_view addresses) {
  constexpr std::size_t kMostBytes = std::size_t{4} << 20U;
  const ElfSymbols program;
  std::string out;
  while (!addresses.empty() && out.size() < kMostBytes) {
    const std::string_view word = addresses.substr(0, addresses.find('+'));
    addresses.remove_prefix(word.size() < addresses.size() ? word.size() + 1 : addresses.size());
    if (!word.starts_with("0x") && !word.starts_with("0X")) continue;
    std::uintptr_t address = 0;
    const char* const last = word.data() + word.size();
    const auto [end, error] = std::from_chars(word.data() + 2, last, address, 16);
    if (error != std::errc() || end != last) continue;
    const std::string name = NameOf(program, address);
    out += word;
    out += '\t';
    out += name.empty() ? std::string(word) : name;
    out += '\n';
  }
  return out;
}

std::vector<std::string> CommandLine() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> out;
  for (std::string argument; std::getline(file, argument, '\0');) out.push_back(argument);
  return out;
}

}  // namespace gpumon::profile
