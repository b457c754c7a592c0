// Writes a Program as bytes. Strings and types are numbered in the order in which the other
// sections first use them, so the same program always gives the same bytes.
#include <unordered_map>

#include "vm/program/format.h"
#include "vm/program/linked_program.h"
#include "vm/program/verify.h"

namespace ordain {
namespace {

using format::Section;
using format::Writer;

class Serialiser {
 public:
  explicit Serialiser(const ProgramData& data) : data_(data) {}

  std::string write() {
    places();
    schema();
    symbols();
    constants();
    imports();
    code();
    rules();
    plan();
    section(Section::types).number(type_count_);
    section(Section::types).bytes(types_.text());
    section(Section::strings).number(strings_.size());
    section(Section::strings).bytes(string_bytes_.text());

    Writer out;
    out.bytes(format::kMagic);
    out.fixed32(format::kVersion);
    for (Writer& part : sections_) out.fixed32(static_cast<uint32_t>(part.text().size()));
    for (Writer& part : sections_) out.bytes(part.text());
    return std::move(out.text());
  }

 private:
  Writer& section(Section which) { return sections_[static_cast<size_t>(which)]; }

  // --- strings and types by number

  uint32_t string(std::string_view text) {
    auto [entry, added] = strings_.try_emplace(text, static_cast<uint32_t>(strings_.size()));
    if (added) {
      string_bytes_.number(text.size());
      string_bytes_.bytes(text);
    }
    return entry->second;
  }

  // Types and record types share one numbering. An entry comes after the entries that it names.
  // Equal entries are merged.
  uint32_t entry(Writer& text) {
    auto [found, added] = entries_.try_emplace(text.text(), type_count_);
    if (added) {
      types_.bytes(text.text());
      ++type_count_;
    }
    return found->second;
  }

  uint32_t record_type(const RecordType& record) {
    if (auto known = record_numbers_.find(&record); known != record_numbers_.end()) return known->second;
    std::vector<uint32_t> fields;
    for (const RecordField& field : record.fields) fields.push_back(type(*field.type));
    Writer text;
    text.byte(kRecordEntry);
    text.number(string(record.name));
    text.byte(record.open);
    text.number(fields.size());
    for (size_t i = 0; i < fields.size(); ++i) {
      text.number(string(record.fields[i].name));
      text.number(fields[i]);
      text.byte(record.fields[i].optional);
    }
    return record_numbers_[&record] = entry(text);
  }

  uint32_t type(const Type& described) {
    if (auto known = type_numbers_.find(&described); known != type_numbers_.end()) return known->second;
    std::vector<uint32_t> params;
    for (const Type* param : described.params) params.push_back(type(*param));
    const uint32_t record = described.record == nullptr ? kNone : record_type(*described.record);
    Writer text;
    text.byte(static_cast<uint8_t>(described.kind));
    text.number(string(described.name));
    text.number(params.size());
    for (const uint32_t param : params) text.number(param);
    text.optional(record);
    limits(text, described.limits);
    return type_numbers_[&described] = entry(text);
  }

  void limits(Writer& out, const TypeLimits* limits) {
    if (limits == nullptr) return out.byte(0);
    const bool small = limits->min_size != 0, large = limits->max_size != UINT64_MAX;
    out.byte(static_cast<uint8_t>(unsigned{!limits->values.empty()} | unsigned{limits->least.present()} << 1 |
                                  unsigned{limits->most.present()} << 2 | unsigned{small} << 3 | unsigned{large} << 4));
    if (!limits->values.empty()) {
      out.number(limits->values.size());
      for (const Value& each : limits->values) value(out, each);
    }
    if (limits->least.present()) value(out, limits->least);
    if (limits->most.present()) value(out, limits->most);
    if (small) out.number(limits->min_size);
    if (large) out.number(limits->max_size);
  }

  // --- sections

  void places() {
    Writer& out = section(Section::places);
    out.number(data_.files.size());
    for (const std::string& file : data_.files) out.number(string(file));
    out.number(data_.locations.size());
    Location before;
    for (const Location& location : data_.locations) {
      out.number(location.file);
      out.signed_number(int64_t{location.line} - before.line);
      out.number(location.column);
      before = location;
    }
  }

  void slot(Writer& out, const Slot& slot) {
    out.number(string(slot.path));
    out.number(type(*slot.type));
    out.byte(static_cast<uint8_t>(static_cast<unsigned>(slot.bank) | unsigned{slot.optional} << 1 |
                                  unsigned{slot.host} << 2 | unsigned{slot.builtin} << 3 |
                                  unsigned{slot.compared} << 4));
    out.number(slot.index);
    out.number(slot.first_bit);
    out.number(slot.member_symbols.size());
    for (const SymbolId symbol : slot.member_symbols) out.number(symbol);
  }

  void record(Writer& out, const RecordBinding& record) {
    out.number(string(record.name));
    out.byte(static_cast<uint8_t>(unsigned{record.open} | unsigned{record.dynamic} << 1));
    out.optional(record.whole);
    out.optional(record.type == nullptr ? kNone : record_type(*record.type));
    out.number(record.fields.size());
    for (const FieldBinding& field : record.fields) {
      out.number(string(field.name));
      out.number(type(*field.type));
      out.byte(field.optional);
      out.optional(field.slot);
      out.optional(field.record);
    }
  }

  void texts(Writer& out, const std::vector<std::string>& texts) {
    out.number(texts.size());
    for (const std::string& text : texts) out.number(string(text));
  }

  void capability(Writer& out, const Capability& capability) {
    out.number(string(capability.name));
    out.number(string(capability.type));
    out.real(capability.risk);
    texts(out, capability.effects);
    out.number(string(capability.owner));
    out.number(string(capability.description));
    texts(out, capability.scopes);
    texts(out, capability.tags);
    out.byte(capability.declared);
    out.optional(capability.input);
    out.optional(capability.output);
    texts(out, capability.secrets);
  }

  void schema() {
    Writer& out = section(Section::schema);
    const Schema& schema = data_.schema;
    for (const int bank : {0, 1}) {
      out.number(schema.slot_count[bank]);
      out.number(schema.bit_words[bank]);
    }
    out.number(schema.slots.size());
    for (const Slot& s : schema.slots) slot(out, s);
    out.number(schema.records.size());
    for (const RecordBinding& r : schema.records) record(out, r);
    out.number(schema.capabilities.size());
    for (const Capability& c : schema.capabilities) capability(out, c);
    texts(out, schema.globs);
    out.number(schema.roots.size());
    for (const auto& [name, record] : schema.roots) {
      out.number(string(name));
      out.number(record);
    }
    out.optional(schema.undeclared_input);
    out.optional(schema.undeclared_output);
  }

  void symbols() {
    Writer& out = section(Section::symbols);
    out.number(data_.symbols.size());
    for (const std::string_view text : data_.symbols) out.number(string(text));
    out.number(data_.symbol_sets.size());
    for (const auto& set : data_.symbol_sets) {
      out.number(set.size());
      SymbolId before = 0;
      for (const SymbolId symbol : set) {
        out.number(symbol - before);
        before = symbol;
      }
    }
  }

  void value(Writer& out, const Value& v) {
    out.byte(static_cast<uint8_t>(v.kind));
    switch (v.kind) {
      case Kind::boolean:
        out.byte(v.as_bool());
        break;
      case Kind::integer:
        out.signed_number(v.i);
        break;
      case Kind::unsigned_integer:
        out.number(v.u);
        break;
      case Kind::floating:
        out.real(v.d);
        break;
      case Kind::string:
      case Kind::bytes:
      case Kind::type:
        out.number(string(v.as_text()));
        break;
      case Kind::timestamp:
      case Kind::duration:
        out.signed_number(v.i);
        out.signed_number(v.nanos());
        break;
      case Kind::list:
        out.number(v.aux);
        for (const Value& element : v.as_list()) value(out, element);
        break;
      case Kind::map:
        out.number(v.map->count);
        for (const MapEntry& entry : v.map->all()) {
          value(out, entry.key);
          value(out, entry.value);
        }
        break;
      case Kind::optional:
        out.byte(v.items != nullptr);
        if (v.items != nullptr) value(out, *v.items);
        break;
      case Kind::ip:
      case Kind::cidr:
        out.number(v.aux);
        out.number(string({v.text, v.aux & 0xFF}));
        break;
      default:
        break;
    }
  }

  void constants() {
    Writer& out = section(Section::constants);
    out.number(data_.constants.size());
    for (const Value& constant : data_.constants) value(out, constant);
  }

  void imports() {
    Writer& out = section(Section::imports);
    out.number(data_.imports.size());
    for (const Import& import : data_.imports) {
      out.number(string(import.name));
      out.number(string(import.overload));
      out.number(import.args);
    }
    out.number(data_.prepared.size());
    for (const Prepared& prepared : data_.prepared) {
      out.number(prepared.import);
      out.number(prepared.constant);
    }
  }

  // Writes only the operands that an instruction has.
  void code() {
    Writer& out = section(Section::code);
    out.number(data_.shared_lets.size());
    for (const SharedLet& let : data_.shared_lets) {
      out.number(string(let.name));
      out.byte(let.kind);
    }
    out.number(data_.predicates.size());
    for (const Predicate& p : data_.predicates) {
      out.byte(p.result);
      out.number(p.saved_faults);
      out.number(p.registers.count);
      for (uint32_t i = 0; i < p.registers.count; ++i) out.byte(data_.register_kinds[p.registers.first + i]);
      out.number(p.code.count);
      for (uint32_t i = 0; i < p.code.count; ++i) instruction(out, data_.code[p.code.first + i]);
      out.number(p.handlers.count);
      for (uint32_t i = 0; i < p.handlers.count; ++i) {
        const Handler& handler = data_.handlers[p.handlers.first + i];
        out.number(handler.begin);
        out.number(handler.end);
        out.number(handler.target);
      }
      out.number(p.locations.count);
      uint32_t before = 0;
      for (uint32_t i = 0; i < p.locations.count; ++i) {
        const InsnLocation& at = data_.insn_locations[p.locations.first + i];
        out.number(at.pc - before);
        out.number(at.location);
        before = at.pc;
      }
    }
  }

  static void instruction(Writer& out, const Insn& insn) {
    out.byte(static_cast<uint8_t>(insn.op));
    for (int which = 0; which < 3; ++which) {
      const Operand op = operand(insn.op, which);
      if (op.kind == 'K') out.optional(operand_value(insn, which));
      if (op.kind != 'K' && op.kind != '-') out.number(operand_value(insn, which));
    }
  }

  void digest(Writer& out, const Digest& digest) {
    out.bytes({reinterpret_cast<const char*>(digest.data()), digest.size()});
  }

  void rules() {
    Writer& out = section(Section::rules);
    out.number(data_.packages.size());
    for (const PackageInfo& package : data_.packages) {
      out.number(string(package.name));
      digest(out, package.digest);
      out.number(package.budget);
    }
    out.number(data_.rules.size());
    for (const RuleInfo& rule : data_.rules) {
      out.number(string(rule.name));
      out.number(string(rule.policy));
      out.number(string(rule.package));
      out.byte(static_cast<uint8_t>(static_cast<unsigned>(rule.kind) | static_cast<unsigned>(rule.stage) << 4));
      out.optional(rule.location);
      out.number(string(rule.redact_path));
      digest(out, rule.digest);
    }
    out.number(data_.rule_codes.size());
    for (const RuleCode& code : data_.rule_codes) {
      out.number(code.rule);
      for (const uint32_t clause :
           {code.condition, code.because, code.because_text, code.from, code.expires, code.with, code.target_set}) {
        out.optional(clause);
      }
      out.number(code.need);
      out.byte(code.distinct ? 1 : 0);
    }
    out.number(data_.policy_versions.size());
    for (const PolicyVersion& declared : data_.policy_versions) {
      out.number(string(declared.policy));
      out.number(string(declared.version));
    }
  }

  static void range(Writer& out, Range range) {
    out.number(range.first);
    out.number(range.count);
  }

  void plan() {
    Writer& out = section(Section::plan);
    out.number(data_.target_sets.size());
    for (const GlobSet& set : data_.target_sets) {
      out.number(set.count());
      for (size_t i = 0; i < set.size(); ++i) {
        if (set[i]) out.byte(static_cast<uint8_t>(i));
      }
    }
    out.number(data_.rule_list.size());
    for (size_t i = 0; i < data_.rule_list.size(); ++i) {
      out.number(data_.rule_list[i]);
      out.byte(static_cast<uint8_t>(data_.index_notes[i]));
    }
    index(out);
    out.number(data_.package_rules.size());
    for (const PackageRules& plan : data_.package_rules) {
      out.number(plan.package);
      out.number(plan.first_match);
      for (const RuleRange& r : plan.lists()) {
        range(out, r.entries);
        range(out, r.nodes);
      }
    }
    out.number(data_.capability_rules.size());
    for (const CapabilityRules& plan : data_.capability_rules) {
      for (const Range& packages : plan.packages) range(out, packages);
    }
    if (data_.history.any()) history(out);
  }

  static void range(Writer& out, TableRange range) {
    out.number(range.first);
    out.number(range.count);
  }

  // What is remembered between calls. A program without state has none of it.
  void history(Writer& out) {
    const HistoryTables& tables = data_.history;
    out.number(tables.states.size());
    for (const StateDecl& state : tables.states) state_declaration(out, state);
    texts(out, tables.labels);
    out.number(tables.key_parts.size());
    for (const KeyPart& part : tables.key_parts) {
      out.byte(static_cast<uint8_t>(part.source));
      out.optional(part.slot);
      out.optional(part.constant);
    }
    out.number(tables.effects.size());
    for (const StateEffect& effect : tables.effects) {
      out.number(effect.state);
      out.optional(effect.target_set);
      out.byte(static_cast<uint8_t>(effect.stage));
      range(out, effect.keys);
      for (const uint32_t predicate : {effect.when, effect.amount, effect.settle}) out.optional(predicate);
    }
    out.number(tables.reads.size());
    for (const StateRead& read : tables.reads) {
      out.number(read.state);
      out.byte(static_cast<uint8_t>(read.member));
      out.optional(read.other);
      range(out, read.keys);
      out.number(read.slot);
    }
    numbers(out, tables.read_list);
    out.number(tables.texts.size());
    for (const TextRead& text : tables.texts) {
      out.byte(static_cast<uint8_t>(text.what));
      out.optional(text.label);
      out.number(text.text);
      out.number(text.slot);
    }
    numbers(out, tables.text_list);
    out.number(tables.label_rules.size());
    for (const LabelRule& rule : tables.label_rules) label_rule(out, rule);
    out.number(tables.capabilities.size());
    for (const CapabilityState& capability : tables.capabilities) {
      range(out, capability.effects);
      for (const TableRange& reads : capability.reads) range(out, reads);
      for (const TableRange& reads : capability.texts) range(out, reads);
      range(out, capability.label_rules);
      out.number(capability.labels);
    }
    out.optional(tables.session_labels);
    out.optional(tables.prompts);
  }

  static void numbers(Writer& out, const std::vector<uint32_t>& numbers) {
    out.number(numbers.size());
    for (const uint32_t number : numbers) out.number(number);
  }

  void state_declaration(Writer& out, const StateDecl& state) {
    out.number(string(state.name));
    digest(out, state.digest);
    out.byte(static_cast<uint8_t>(state.kind));
    out.byte(static_cast<uint8_t>(state.verb));
    out.byte(state.negative ? 1 : 0);
    out.byte(static_cast<uint8_t>(state.amount));
    out.number(state.keys.size());
    for (size_t i = 0; i < state.keys.size(); ++i) {
      out.byte(static_cast<uint8_t>(state.keys[i]));
      out.byte(static_cast<uint8_t>(state.key_kinds[i]));
    }
    out.number(state.window_seconds);
    out.number(state.window_nanos);
    out.number(state.bound);
    out.number(state.limit);
    out.number(state.burst);
    out.byte(static_cast<uint8_t>(state.period));
    out.optional(state.limit_constant);
    out.number(string(state.zone));
    out.number(state.members);
    out.optional(state.location);
  }

  void label_rule(Writer& out, const LabelRule& rule) {
    out.byte(static_cast<uint8_t>(rule.what));
    out.number(rule.label);
    out.optional(rule.target_set);
    out.optional(rule.when);
    out.optional(rule.because);
    texts(out, rule.groups);
    out.number(string(rule.name));
    out.number(string(rule.policy));
    out.number(string(rule.package));
    digest(out, rule.digest);
    out.optional(rule.location);
  }

  void index(Writer& out) {
    out.number(data_.index_nodes.size());
    for (const IndexNode& node : data_.index_nodes) {
      out.byte(static_cast<uint8_t>(static_cast<unsigned>(node.test) << 1 | (node.absent ? 1u : 0u)));
      out.optional(node.slot);
      out.optional(node.next);
      range(out, node.edges);
      out.number(node.bound);
    }
    out.number(data_.index_edges.size());
    for (const IndexEdge& edge : data_.index_edges) {
      out.number(edge.key);
      out.number(edge.node);
    }
    out.number(data_.index_leaves.size());
    for (const IndexLeaf& leaf : data_.index_leaves) out.number(uint64_t{leaf.entry} << 1 | (leaf.sure ? 1 : 0));
    out.number(data_.index_literals.size());
    for (const IndexLiteral& literal : data_.index_literals) {
      out.number(literal.constant);
      out.byte(static_cast<uint8_t>(literal.where << 1 | (literal.ignore_case ? 1 : 0)));
    }
  }

  static constexpr uint8_t kRecordEntry = 0xFF;

  const ProgramData& data_;
  Writer sections_[format::kSectionCount];
  std::unordered_map<std::string_view, uint32_t> strings_;
  Writer string_bytes_;
  std::unordered_map<const Type*, uint32_t> type_numbers_;
  std::unordered_map<const RecordType*, uint32_t> record_numbers_;
  std::unordered_map<std::string, uint32_t> entries_;
  Writer types_;
  uint32_t type_count_ = 0;
};

}  // namespace

std::string Program::serialise() const { return Serialiser(data_of(*this)).write(); }

}  // namespace ordain
