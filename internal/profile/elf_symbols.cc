#include "internal/profile/elf_symbols.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

namespace gpumon::profile {
namespace {

// The record at `offset`, copied: nothing in a file need be aligned. Nothing when it ends before.
template <class Record>
std::optional<Record> At(const std::string& file, std::uint64_t offset) {
  if (offset > file.size() || file.size() - offset < sizeof(Record)) return std::nullopt;
  Record record;
  std::memcpy(&record, file.data() + offset, sizeof record);
  return record;
}

std::optional<ElfW(Shdr)> Section(const std::string& file, const ElfW(Ehdr) & header,
                                  std::uint64_t index) {
  const auto section = At<ElfW(Shdr)>(file, header.e_shoff + index * sizeof(ElfW(Shdr)));
  if (!section || section->sh_offset > file.size() ||
      section->sh_size > file.size() - section->sh_offset) {
    return std::nullopt;
  }
  return section;
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// How far from the addresses in its file the main program was loaded.
std::uintptr_t LoadBias() {
  std::uintptr_t bias = 0;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        *static_cast<std::uintptr_t*>(out) = info->dlpi_addr;
        return 1;  // the first is the main program
      },
      &bias);
  return bias;
}

}  // namespace

ElfSymbols::ElfSymbols() : ElfSymbols("/proc/self/exe", LoadBias()) {}

ElfSymbols::ElfSymbols(const std::string& path, std::uintptr_t bias) : bias_(bias) {
  Read(ReadAll(path));
  std::sort(functions_.begin(), functions_.end(),
            [](const Function& a, const Function& b) { return a.begin < b.begin; });
}

void ElfSymbols::Read(const std::string& file) {
  const auto header = At<ElfW(Ehdr)>(file, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return;
  for (std::uint64_t i = 0; i < header->e_shnum; ++i) {
    const auto table = Section(file, *header, i);
    if (!table || table->sh_type != SHT_SYMTAB) continue;
    const auto names = Section(file, *header, table->sh_link);
    if (!names) return;
    names_ = file.substr(names->sh_offset, names->sh_size) + '\0';
    for (std::uint64_t n = 0; n < table->sh_size / sizeof(ElfW(Sym)); ++n) {
      const auto symbol = At<ElfW(Sym)>(file, table->sh_offset + n * sizeof(ElfW(Sym)));
      if (!symbol || ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_size == 0 ||
          symbol->st_value == 0 || symbol->st_name >= names_.size()) {
        continue;
      }
      functions_.push_back({symbol->st_value, symbol->st_value + symbol->st_size, symbol->st_name});
    }
    return;
  }
}

std::string_view ElfSymbols::NameAt(std::uintptr_t address) const {
  if (address < bias_) return {};
  const std::uintptr_t at = address - bias_;
  auto after = std::upper_bound(functions_.begin(), functions_.end(), at,
                                [](std::uintptr_t a, const Function& f) { return a < f.begin; });
  if (after == functions_.begin()) return {};
  const Function& function = *--after;
  return at < function.end ? std::string_view(names_.c_str() + function.name) : std::string_view();
}

}  // namespace gpumon::profile
