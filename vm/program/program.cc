// Program: look-ups by name, and what it takes in memory.
#include "ordain/program.h"

#include <algorithm>
#include <atomic>
#include <functional>

#include "vm/program/linked_program.h"
#include "vm/program/literal_index.h"
#include "vm/program/network_index.h"
#include "vm/program/program_data.h"

namespace ordain {

using vm::data_of;
using vm::linked;
using vm::ProgramData;

const Digest& Program::digest() const { return linked(*this).digest; }
const Schema& Program::schema() const { return data_of(*this).schema; }
std::span<const RuleInfo> Program::rules() const { return data_of(*this).rules; }
std::string_view Program::policy_version(RuleId rule) const {
  const std::vector<PolicyVersion>& all = data_of(*this).policy_versions;
  if (rule >= data_of(*this).rules.size() || all.empty()) return {};
  const std::string& policy = data_of(*this).rules[rule].policy;
  const auto at =
      std::lower_bound(all.begin(), all.end(), policy,
                       [](const PolicyVersion& declared, const std::string& name) { return declared.policy < name; });
  return at != all.end() && at->policy == policy ? std::string_view(at->version) : std::string_view();
}

std::span<const std::string> Program::files() const { return data_of(*this).files; }
std::span<const Location> Program::locations() const { return data_of(*this).locations; }

CapabilityRef Program::resolve(std::string_view capability) const {
  const Schema& schema = data_of(*this).schema;
  CapabilityRef out;
  out.name = capability;
  out.program = linked(*this).serial;
  const auto name_of = [&schema](uint32_t i) -> std::string_view { return schema.capabilities[i].name; };
  const uint32_t id = linked(*this).capabilities.find(capability, name_of);
  if (id != TextIndex::kMissing) {
    out.id = id;
    out.name = schema.capabilities[id].name;
    return out;
  }
  for (size_t i = 0; i < schema.globs.size(); ++i) {
    if (glob_matches(schema.globs[i], capability)) out.globs.set(i);
  }
  return out;
}

namespace {

// Finds the slot of `path` (without the root's name) in a record.
SlotId slot_in_record(const Schema& schema, uint32_t record, std::string_view path) {
  while (record != kNone) {
    const RecordBinding& binding = schema.records[record];
    if (path.empty()) return binding.whole;
    // The fields of a dynamic record may be named by whole paths.
    if (const FieldBinding* field = binding.find(path)) return field->slot;
    const size_t dot = path.find('.');
    if (dot == std::string_view::npos) return kNone;
    const FieldBinding* field = binding.find(path.substr(0, dot));
    if (field == nullptr) return kNone;
    record = field->record;
    path.remove_prefix(dot + 1);
  }
  return kNone;
}

// Finds paths that are not part of a record, such as `now`.
SlotId slot_by_path(const Schema& schema, std::string_view path) {
  for (SlotId i = 0; i < schema.slots.size(); ++i) {
    if (schema.slots[i].path == path) return i;
  }
  return kNone;
}

// Whether a capability, if it is given, is one of this schema's. Its records are indexes.
bool is_own(const Schema& schema, const Capability* capability) {
  const Capability* const first = schema.capabilities.data();
  const std::less<> before;  // orders pointers into other arrays too
  return capability == nullptr ||
         (!before(capability, first) && before(capability, first + schema.capabilities.size()));
}

SlotId find_slot(const Schema& schema, const Capability* capability, std::string_view path) {
  const std::string_view root = path.substr(0, path.find('.'));
  const std::string_view rest = root.size() == path.size() ? std::string_view() : path.substr(root.size() + 1);
  if (root == "input" || root == "output") {
    const bool input = root == "input";
    uint32_t record = input ? schema.undeclared_input : schema.undeclared_output;
    if (capability != nullptr) {
      if (input) record = capability->input;
      if (!input && capability->output != kNone) record = capability->output;
    }
    return slot_in_record(schema, record, rest);
  }
  if (auto found = schema.roots.find(root); found != schema.roots.end()) {
    const SlotId slot = slot_in_record(schema, found->second, rest);
    if (slot != kNone) return slot;
  }
  return slot_by_path(schema, path);
}

}  // namespace

uint64_t Program::serial() const { return linked(*this).serial; }

SlotRef Program::slot(SlotId id) const {
  if (id >= data_of(*this).schema.slots.size()) return {};
  return {id, linked(*this).serial};
}

SlotRef Program::slot(const Capability* capability, std::string_view path) const {
  if (!is_own(data_of(*this).schema, capability)) return {};
  return {find_slot(data_of(*this).schema, capability, path), linked(*this).serial};
}

SymbolId Program::symbol(std::string_view text) const {
  const auto& symbols = data_of(*this).symbols;
  return linked(*this).symbols.find(text, [&symbols](uint32_t i) -> std::string_view { return symbols[i]; }) + 1;
}

uint32_t Program::member_bit(SlotId slot, SymbolId symbol) const {
  return linked(*this).member_bits.find(uint64_t{slot} << 32 | symbol);
}

bool Program::fully_native() const { return native_code_of(*this).complete(); }

namespace {

template <typename T>
size_t bytes_of(const std::vector<T>& items) {
  return items.capacity() * sizeof(T);
}

// Small strings live inside the string object.
size_t heap_of(const std::string& text) { return text.capacity() > 15 ? text.capacity() + 1 : 0; }

size_t heap_of(const std::vector<std::string>& texts) {
  size_t out = bytes_of(texts);
  for (const std::string& text : texts) out += heap_of(text);
  return out;
}

size_t schema_bytes(const Schema& schema) {
  size_t out =
      bytes_of(schema.slots) + bytes_of(schema.records) + bytes_of(schema.capabilities) + heap_of(schema.globs);
  for (const Slot& slot : schema.slots) out += heap_of(slot.path) + bytes_of(slot.member_symbols);
  for (const RecordBinding& record : schema.records) {
    out += heap_of(record.name) + bytes_of(record.fields);
    for (const FieldBinding& field : record.fields) out += heap_of(field.name);
  }
  for (const Capability& c : schema.capabilities) {
    out += heap_of(c.name) + heap_of(c.type) + heap_of(c.owner) + heap_of(c.description) + heap_of(c.effects) +
           heap_of(c.scopes) + heap_of(c.tags) + heap_of(c.secrets);
  }
  return out + schema.roots.size() * 80;  // a node of the map
}

size_t history_bytes(const HistoryTables& tables) {
  size_t out = bytes_of(tables.states) + heap_of(tables.labels) + bytes_of(tables.key_parts) +
               bytes_of(tables.effects) + bytes_of(tables.reads) + bytes_of(tables.read_list) + bytes_of(tables.texts) +
               bytes_of(tables.text_list) + bytes_of(tables.label_rules) + bytes_of(tables.capabilities);
  for (const StateDecl& state : tables.states) {
    out += heap_of(state.name) + heap_of(state.zone) + bytes_of(state.keys) + bytes_of(state.key_kinds);
  }
  for (const LabelRule& rule : tables.label_rules) {
    out += heap_of(rule.groups) + heap_of(rule.name) + heap_of(rule.policy) + heap_of(rule.package);
  }
  return out;
}

}  // namespace

size_t Program::memory() const {
  const ProgramData& d = data_of(*this);
  size_t out = sizeof(vm::LinkedProgram) + d.memory.reserved() + schema_bytes(d.schema);
  out +=
      heap_of(d.files) + bytes_of(d.locations) + bytes_of(d.symbols) + bytes_of(d.symbol_sets) + bytes_of(d.constants);
  for (const auto& set : d.symbol_sets) out += bytes_of(set);
  out += bytes_of(d.imports) + bytes_of(d.prepared) + bytes_of(d.code) + bytes_of(d.register_kinds);
  for (const Import& import : d.imports) out += heap_of(import.name) + heap_of(import.overload);
  out += bytes_of(d.handlers) + bytes_of(d.insn_locations) + bytes_of(d.predicates) + bytes_of(d.packages);
  for (const PackageInfo& package : d.packages) out += heap_of(package.name);
  for (const PolicyVersion& declared : d.policy_versions) out += heap_of(declared.policy) + heap_of(declared.version);
  out += bytes_of(d.policy_versions) + bytes_of(d.rules) + bytes_of(d.rule_codes) + bytes_of(d.target_sets) +
         bytes_of(d.rule_list);
  for (const RuleInfo& rule : d.rules) {
    out += heap_of(rule.name) + heap_of(rule.policy) + heap_of(rule.package) + heap_of(rule.redact_path);
  }
  out += bytes_of(d.index_notes) + bytes_of(d.index_nodes) + bytes_of(d.index_edges) + bytes_of(d.index_leaves) +
         bytes_of(d.index_literals);
  out +=
      bytes_of(d.package_rules) + bytes_of(d.capability_rules) + bytes_of(d.condition_parts) + history_bytes(d.history);
  const LinkTables& tables = linked(*this).tables;
  out += bytes_of(tables.overloads) + bytes_of(tables.functions) + bytes_of(tables.prepared) + bytes_of(tables.slots);
  out += bytes_of(tables.index_steps) + bytes_of(tables.index_cells) + bytes_of(tables.index_members) +
         bytes_of(tables.index_bounds);
  for (const auto& texts : tables.index_texts) out += texts->bytes();
  for (const auto& networks : tables.index_networks) out += networks->bytes();
  out += linked(*this).symbols.bytes() + linked(*this).capabilities.bytes() + linked(*this).member_bits.bytes();
  return out + bytes_of(tables.batch_sizes) + bytes_of(tables.steps) + bytes_of(tables.budgets) +
         native_code_of(*this).bytes();
}

}  // namespace ordain

namespace ordain::vm {

uint64_t LinkedProgram::next_serial() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

LinkedProgram::~LinkedProgram() { native.release_owners(); }

uint32_t max_registers(const ProgramData& data) {
  uint32_t out = 0;
  for (const Predicate& predicate : data.predicates) out = std::max(out, predicate.registers.count);
  return out;
}

uint32_t max_saved_faults(const ProgramData& data) {
  uint32_t out = 0;
  for (const Predicate& predicate : data.predicates) out = std::max(out, predicate.saved_faults);
  return out;
}

}  // namespace ordain::vm
