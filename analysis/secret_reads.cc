// Reads the code of predicates for the slots that they load, and compares these with the declared secrets.
#include "analysis/secret_reads.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace ordain::detail {
namespace {

// Whether one of the paths lies within the other: "input.keys" holds "input.keys[*]".
bool overlaps(std::string_view a, std::string_view b) {
  const std::string_view shorter = a.size() < b.size() ? a : b;
  const std::string_view longer = a.size() < b.size() ? b : a;
  if (!longer.starts_with(shorter)) return false;
  return longer.size() == shorter.size() || longer[shorter.size()] == '.' || longer[shorter.size()] == '[';
}

// A test for presence shows no value.
bool reads_value(Op op) {
  return op == Op::load || op == Op::load_optional || op == Op::slot_eq || op == Op::slot_in || op == Op::slot_has;
}

std::span<const Insn> code_of(const ProgramData& data, uint32_t predicate) {
  const Range code = data.predicates[predicate].code;
  return std::span(data.code).subspan(code.first, code.count);
}

}  // namespace

std::vector<SlotId> slots_read(const ProgramData& data, uint32_t predicate) {
  std::vector<SlotId> out;
  for (const Insn& insn : code_of(data, predicate)) {
    if (reads_value(insn.op) || insn.op == Op::has_slot) out.push_back(insn.b);
  }
  return out;
}

std::string secret_read(const ProgramData& data, CapabilityId capability, uint32_t predicate) {
  if (capability == kNone) return "";
  const std::vector<std::string>& secrets = data.schema.capabilities[capability].secrets;
  for (const Insn& insn : code_of(data, predicate)) {
    if (!reads_value(insn.op)) continue;
    const std::string& path = data.schema.slots[insn.b].path;
    const auto is_within = [&](const std::string& secret) { return overlaps(secret, path); };
    if (std::any_of(secrets.begin(), secrets.end(), is_within)) return path;
  }
  return "";
}

}  // namespace ordain::detail
