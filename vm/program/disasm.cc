// Writes a Program as text: instructions with their operands' names, labels for jumps, and the
// rules of each capability.
#include "ordain/disasm.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "ordain/json.h"
#include "vm/program/linked_program.h"
#include "vm/program/verify.h"
#include "vm/value/terminal_format.h"

namespace ordain {
namespace {

constexpr size_t kLongestOperand = 60;

std::string kind_name(uint8_t kind) {
  if (kind == kAnyKind) return "any";
  if (kind == kBuilderKind) return "builder";
  switch (static_cast<Kind>(kind)) {
    case Kind::null:
      return "null";
    case Kind::timestamp:
      return "timestamp";
    case Kind::duration:
      return "duration";
    case Kind::optional:
      return "optional";
    default:
      return std::string(type_name(static_cast<Kind>(kind)));
  }
}

std::string shortened(std::string text) {
  if (text.size() <= kLongestOperand) return text;
  size_t end = kLongestOperand;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return shortened(terminal_text(out));
}

class Disassembler {
 public:
  explicit Disassembler(const Program& program) : program_(program), data_(data_of(program)) {}

  std::string write() {
    print("program {}\n", to_hex(program_.digest()));
    print("  {} rules, {} predicates, {} instructions, {} slots, {} symbols, {} constants\n", data_.rules.size(),
          data_.predicates.size(), data_.code.size(), data_.schema.slots.size(), data_.symbols.size(),
          data_.constants.size());
    slots();
    shared_lets();
    secrets();
    name_predicates();
    for (uint32_t i = 0; i < data_.predicates.size(); ++i) predicate(i);
    for (CapabilityId id = 0; id < data_.schema.capabilities.size(); ++id)
      print_rules(id, data_.schema.capabilities[id].name);
    print_rules(kNone, "(undeclared capabilities)");
    print_history();
    return std::move(out_);
  }

  std::string write_history() {
    print_history();
    return std::move(out_);
  }

 private:
  template <typename... Args>
  void print(fmt::format_string<detail::ForTerminal<Args>...> format, const Args&... args) {
    out_ += detail::format_for_terminal<Args...>(format, args...);
  }

  void slots() {
    if (!data_.schema.slots.empty()) print("\nslots\n");
    for (const Slot& slot : data_.schema.slots) {
      print("  {}: {}{}{}{}", slot.path, to_string(*slot.type), slot.optional ? ", optional" : "",
            slot.host ? ", host" : "", slot.builtin ? ", built-in" : "");
      print("{}", slot.compared ? ", compared" : "");
      if (!slot.member_symbols.empty()) print(", {} members", slot.member_symbols.size());
      print("\n");
    }
  }

  void shared_lets() {
    if (!data_.shared_lets.empty()) print("\nshared lets\n");
    for (size_t i = 0; i < data_.shared_lets.size(); ++i) {
      print("  {} {}: {}\n", i, data_.shared_lets[i].name, kind_name(data_.shared_lets[i].kind));
    }
  }

  void secrets() {
    bool first = true;
    for (const Capability& capability : data_.schema.capabilities) {
      for (const std::string& path : capability.secrets) {
        if (std::exchange(first, false)) print("\nsecrets\n");
        print("  {}: {}\n", capability.name, path);
      }
    }
  }

  // Finds which clauses of which rules each predicate serves.
  void name_predicates() {
    const auto use = [this](uint32_t predicate, std::string_view clause, const RuleCode& code) {
      if (predicate == kNone) return;
      const std::string name = fmt::format("{} of {}", clause, data_.rules[code.rule].name);
      std::vector<std::string>& names = uses_[predicate];
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    };
    for (const RuleCode& code : data_.rule_codes) {
      use(code.condition, "condition", code);
      use(code.because, "because", code);
      use(code.from, "from", code);
      use(code.expires, "expires", code);
      use(code.with, "with", code);
    }
    const HistoryTables& history = data_.history;
    const auto use_of = [this](uint32_t predicate, std::string name) {
      if (predicate == kNone) return;
      std::vector<std::string>& names = uses_[predicate];
      if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    };
    for (const StateEffect& effect : history.effects) {
      const std::string& name = history.states[effect.state].name;
      use_of(effect.when, fmt::format("when of {}", name));
      use_of(effect.amount, fmt::format("amount of {}", name));
      use_of(effect.settle, fmt::format("settle of {}", name));
    }
    for (const TextRead& text : history.texts) use_of(text.text, data_.schema.slots[text.slot].path);
    for (const LabelRule& rule : history.label_rules) {
      use_of(rule.when, fmt::format("condition of {}", rule.name));
      use_of(rule.because, fmt::format("because of {}", rule.name));
    }
  }

  // --- what is remembered between calls, if anything is (its lines start with `state`, `label` and `remember`)

  void print_history() {
    const HistoryTables& history = data_.history;
    if (!history.any()) return;
    print("\n");
    for (const StateDecl& state : history.states) print_state(state);
    for (size_t i = 0; i < history.labels.size(); ++i) print("label {} {}\n", i, history.labels[i]);
    for (CapabilityId id = 0; id < history.capabilities.size(); ++id) {
      const bool declared = id < data_.schema.capabilities.size();
      print_memory(history.capabilities[id],
                   declared ? std::string_view(data_.schema.capabilities[id].name) : "(undeclared capabilities)");
    }
  }

  void print_state(const StateDecl& state) {
    print("state {} {}", to_string(state.kind), state.name);
    if (state.kind == StateKind::history) print(" {}", to_string(state.verb));
    if (state.kind == StateKind::rate) print(" {}, burst {}", state.limit, state.burst);
    if (state.limit_constant != kNone) print(" {}", constant(data_.constants[state.limit_constant]));
    if (state.keys.empty()) print(" by global");
    for (size_t i = 0; i < state.keys.size(); ++i) print("{} {}", i == 0 ? " by" : ",", to_string(state.keys[i]));
    if (state.window_seconds != 0 || state.window_nanos != 0) {
      print(" within {}", constant(Value::duration(static_cast<int64_t>(state.window_seconds),
                                                   static_cast<int32_t>(state.window_nanos))));
    }
    if (state.bound != 0) print(" up to {}", state.bound);
    if (state.period != BudgetPeriod::none) print(" {}", to_string(state.period));
    if (!state.zone.empty()) print(" in {}", state.zone);
    if (state.location != kNone) print(" ; {}", place(state.location));
    print("\n");
  }

  void print_memory(const CapabilityState& capability, std::string_view name) {
    if (!capability.any()) return;
    const HistoryTables& history = data_.history;
    print("\nremember {}\n", name);
    for (uint32_t i = 0; i < capability.effects.count; ++i) {
      const StateEffect& effect = history.effects[capability.effects.first + i];
      print("    adds to {} by {}", history.states[effect.state].name, key(effect.keys));
      if (effect.when != kNone) print(" when {}", effect.when);
      if (effect.amount != kNone) print(" amount {}", effect.amount);
      if (effect.settle != kNone) print(" settle {}", effect.settle);
      if (effect.target_set != kNone) print(" on {}", targets(data_.target_sets[effect.target_set]));
      print("\n");
    }
    for (const Stage stage : {Stage::before, Stage::after}) {
      const TableRange reads = capability.reads[static_cast<size_t>(stage)];
      for (uint32_t i = 0; i < reads.count; ++i) {
        const StateRead& read = history.reads[history.read_list[reads.first + i]];
        print("    reads {} {} by {}\n", to_string(stage), data_.schema.slots[read.slot].path, key(read.keys));
      }
      const TableRange texts = capability.texts[static_cast<size_t>(stage)];
      for (uint32_t i = 0; i < texts.count; ++i) {
        const TextRead& text = history.texts[history.text_list[texts.first + i]];
        print("    asks {} {}\n", to_string(stage), data_.schema.slots[text.slot].path);
      }
    }
    for (size_t i = 0; i < history.labels.size(); ++i) {
      if ((capability.labels >> i & 1) != 0) print("    raises {}\n", history.labels[i]);
    }
    for (uint32_t i = 0; i < capability.label_rules.count; ++i) {
      const LabelRule& rule = history.label_rules[capability.label_rules.first + i];
      print("    {} {} by {}", rule.what == LabelRule::clear ? "clears" : "raises", history.labels[rule.label],
            rule.name);
      if (rule.when != kNone) print(" when {}", rule.when);
      for (const std::string& group : rule.groups) print(" from {}", group);
      print("\n");
    }
  }

  std::string key(TableRange range) const {
    if (range.count == 0) return "global";
    std::string out;
    for (uint32_t i = 0; i < range.count; ++i) {
      const KeyPart& part = data_.history.key_parts[range.first + i];
      if (i > 0) out += ", ";
      out += part.source == KeySource::literal ? constant(data_.constants[part.constant])
                                               : data_.schema.slots[part.slot].path;
    }
    return out;
  }

  std::string place(uint32_t location) const {
    if (location == kNone) return "";
    const Location& at = data_.locations[location];
    return fmt::format("{}:{}:{}", data_.files[at.file], at.line, at.column);
  }

  // --- code

  void predicate(uint32_t number) {
    const Predicate& p = data_.predicates[number];
    print("\npredicate {}: {}\n", number, kind_name(p.result));
    for (const std::string& use : uses_[number]) print("  ; {}\n", use);
    print("  registers");
    for (uint32_t i = 0; i < p.registers.count; ++i) {
      print(" r{}:{}", i, kind_name(data_.register_kinds[p.registers.first + i]));
    }
    if (p.saved_faults > 0) print(", {} fault registers", p.saved_faults);
    print("\n");
    name_labels(p);
    size_t at = 0;
    for (uint32_t pc = 0; pc < p.code.count; ++pc) {
      if (auto label = labels_.find(pc); label != labels_.end()) print(" L{}:\n", label->second);
      std::string line = instruction(p, data_.code[p.code.first + pc]);
      if (at < p.locations.count && data_.insn_locations[p.locations.first + at].pc == pc) {
        line = fmt::format("{:<56} ; {}", line, place(data_.insn_locations[p.locations.first + at].location));
        ++at;
      }
      print("  {:>4}  {}\n", pc, line);
    }
    for (uint32_t i = 0; i < p.handlers.count; ++i) {
      const Handler& handler = data_.handlers[p.handlers.first + i];
      print("  handler [{}, {}) -> L{}\n", handler.begin, handler.end, labels_[handler.target]);
    }
  }

  void name_labels(const Predicate& p) {
    labels_.clear();
    for (uint32_t i = 0; i < p.code.count; ++i) {
      const Insn& insn = data_.code[p.code.first + i];
      if (operand(insn.op, 1).kind == 'J') labels_.emplace(insn.b, 0);
    }
    for (uint32_t i = 0; i < p.handlers.count; ++i) labels_.emplace(data_.handlers[p.handlers.first + i].target, 0);
    uint32_t next = 0;
    for (auto& [pc, label] : labels_) label = next++;
  }

  std::string instruction(const Predicate& p, const Insn& insn) const {
    std::string line = fmt::format("{:<16}", op_info(insn.op).name);
    bool first = true;
    for (int which = 0; which < 3; ++which) {
      const char kind = operand(insn.op, which).kind;
      if (kind == '-') continue;
      line += first ? " " : ", ";
      line += operand_text(insn, kind, operand_value(insn, which));
      first = false;
    }
    if (insn.op == Op::unbox) line += " as " + kind_name(data_.register_kinds[p.registers.first + insn.a]);
    return line;
  }

  std::string operand_text(const Insn& insn, char kind, uint32_t value) const {
    if (is_register(kind)) return fmt::format("r{}", value);
    switch (kind) {
      case 'K':
        return value == kNone ? "none" : constant(data_.constants[value]);
      case 'S':
        return data_.schema.slots[value].path;
      case 'Y':
        return quoted(data_.symbols[value - 1]);
      case 'Z':
        return symbol_set(data_.symbol_sets[value]);
      case 'B': {
        const Slot& slot = data_.schema.slots[insn.b];
        return quoted(data_.symbols[slot.member_symbols[value - slot.first_bit] - 1]);
      }
      case 'V':
        return fmt::format("let {} {}", value, data_.shared_lets[value].name);
      case 'J':
        return fmt::format("L{}", labels_.at(value));
      case 'F':
        return fmt::format("f{}", value);
      case 'I':
        return import_name(value);
      case 'P':
        return fmt::format("{} with {}", import_name(data_.prepared[value].import),
                           constant(data_.constants[data_.prepared[value].constant]));
      case 'R':
        return arguments(value, argument_count(data_, insn));
      case 'N':
        return insn.op == Op::fail ? std::string(fault_name(static_cast<FaultCode>(value))) : fmt::format("{}", value);
      default:
        return "?";
    }
  }

  // Writes a constant as JSON in which a number shows its kind: 1, 1u, 1.0.
  static std::string constant(const Value& value) {
    std::string text = value.is(Kind::type) ? std::string(value.as_text()) : to_json(value);
    if (value.is(Kind::unsigned_integer)) text += 'u';
    if (value.is(Kind::bytes)) text = "bytes " + text;
    if (value.is(Kind::timestamp) || value.is(Kind::duration))
      text = fmt::format("{}({})", kind_name(static_cast<uint8_t>(value.kind)), text);
    return shortened(std::move(text));
  }

  std::string symbol_set(const std::vector<SymbolId>& set) const {
    std::string out = "{";
    for (const SymbolId symbol : set) {
      if (out.size() > 1) out += ", ";
      out += quoted(data_.symbols[symbol - 1]);
      if (out.size() > kLongestOperand) return fmt::format("{}, ... {} strings}}", out, set.size());
    }
    return out + "}";
  }

  std::string import_name(uint32_t import) const {
    const Import& function = data_.imports[import];
    return function.overload.empty() ? function.name : fmt::format("{}[{}]", function.name, function.overload);
  }

  static std::string arguments(uint32_t first, uint32_t count) {
    if (count == 0) return "()";
    if (count == 1) return fmt::format("(r{})", first);
    return fmt::format("(r{}..r{})", first, first + count - 1);
  }

  // --- the rules of a capability (their lines start with `plan`)

  void print_rules(CapabilityId id, std::string_view name) {
    for (const Stage stage : {Stage::before, Stage::after}) {
      const std::span<const PackageRules> packages = package_rules(data_, id, stage);
      if (packages.empty()) continue;
      print("\nplan {} {}\n", to_string(stage), name);
      for (const PackageRules& rules : packages) print_package(rules);
    }
  }

  void print_package(const PackageRules& package) {
    const PackageInfo& info = data_.packages[package.package];
    print("  package {}{}", info.name.empty() ? "(none)" : info.name, package.first_match != 0 ? ", first match" : "");
    if (info.budget != 0) print(", budget {}", info.budget);
    print("\n");
    for (const RuleRange& list : package.lists()) rules(list);
  }

  void rules(const RuleRange& range) {
    const Range entries = range.entries;
    for (uint32_t i = entries.first; i < entries.first + entries.count; ++i) {
      const RuleCode& code = data_.rule_codes[data_.rule_list[i]];
      const RuleInfo& rule = data_.rules[code.rule];
      print("    {:<16} {}", to_string(rule.kind), rule.name);
      if (code.condition != kNone) print(" when {}", code.condition);
      if (rule.kind == RuleKind::redact) print(" path {}", rule.redact_path);
      if (code.because != kNone) print(" because {}", code.because);
      if (code.because_text != kNone) print(" because {}", constant(data_.constants[code.because_text]));
      if (code.from != kNone && code.need == 0) print(" from {}", code.from);
      if (code.need != 0) print(" from {} of {}", code.need, code.from);
      if (!code.distinct) print(" distinct false");
      if (code.expires != kNone) print(" expires {}", code.expires);
      if (code.with != kNone) print(" with {}", code.with);
      if (code.target_set != kNone) print(" on {}", targets(data_.target_sets[code.target_set]));
      if (rule.location != kNone) print(" ; {}", place(rule.location));
      print("\n");
    }
  }

  std::string targets(const GlobSet& set) const {
    std::string out;
    for (size_t i = 0; i < data_.schema.globs.size(); ++i) {
      if (set[i]) out += (out.empty() ? "" : ", ") + data_.schema.globs[i];
    }
    return out;
  }

  const Program& program_;
  const ProgramData& data_;
  std::map<uint32_t, std::vector<std::string>> uses_;
  std::map<uint32_t, uint32_t> labels_;
  std::string out_;
};

}  // namespace

std::string disassemble(const Program& program) { return Disassembler(program).write(); }
std::string describe_history(const Program& program) { return Disassembler(program).write_history(); }

}  // namespace ordain
