// Reads a Program from bytes. Any bytes are safe to read: every read is bounds-checked, counts
// are checked against the bytes left, recursion is bounded, and the program is verified before it
// runs. Bytes that `serialise` would not write are refused: numbers that are longer than necessary,
// sets that are not sorted, and strings and types that are unused, repeated, or not numbered in the
// order of their first use.
#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "ordain/digest.h"
#include "vm/program/linked_program.h"
#include "vm/program/load_values.h"
#include "vm/program/verify.h"

namespace ordain {
namespace {

using format::read_list;
using format::Reader;

class Loader {
 public:
  Loader(std::string_view bytes, ProgramData& data) : bytes_(bytes), data_(data), values_(data.memory, bytes.size()) {}

  // @returns "" or what is wrong.
  std::string load() {
    if (bytes_.size() > format::kMaxFileSize) return "it is too large";
    Reader header(bytes_);
    if (header.bytes(format::kMagic.size()) != format::kMagic) return "it does not begin as a program does";
    if (const uint32_t version = header.fixed32(); version != format::kVersion) {
      return header.failed()
                 ? "it is cut short"
                 : fmt::format("it is of version {}, this library reads version {}", version, format::kVersion);
    }
    size_t sizes[format::kSectionCount];
    size_t total = format::kHeaderSize;
    for (size_t& size : sizes) total += size = header.fixed32();
    if (header.failed() || total > bytes_.size()) return "it is cut short";
    if (total < bytes_.size()) return "something follows its end";
    using Step = void (Loader::*)(Reader&);
    const Step steps[format::kSectionCount] = {&Loader::strings, &Loader::types,     &Loader::places,  &Loader::schema,
                                               &Loader::symbols, &Loader::constants, &Loader::imports, &Loader::code,
                                               &Loader::rules,   &Loader::plan};
    size_t at = format::kHeaderSize;
    for (size_t i = 0; i < format::kSectionCount; ++i) {
      Reader in(bytes_.substr(at, sizes[i]));
      at += sizes[i];
      const Step step = steps[i];  // GCC's bounds sanitizer miscompiles a call of (this->*steps[i])
      (this->*step)(in);
      if (!in.failed() && in.left() > 0) in.fail();
      if (in.failed_form()) return kNotCanonical;
      if (in.failed()) return fmt::format("its section `{}` is damaged", format::kSectionNames[i]);
    }
    return values_.all_used() ? "" : kNotCanonical;
  }

 private:
  static constexpr const char* kNotCanonical = "it is not in canonical form";

  void strings(Reader& in) { values_.strings(in); }
  void types(Reader& in) { values_.types(in); }
  std::string string(Reader& in) { return values_.string(in); }

  void places(Reader& in) {
    data_.files = texts(in);
    int64_t line = 0;
    data_.locations = read_list(in, 3, [&] {
      Location location;
      location.file = in.number32();
      const int64_t step = in.signed_number();
      if (step < -line || step > int64_t{UINT32_MAX} - line) {
        in.fail();
      } else {
        line += step;
      }
      location.line = static_cast<uint32_t>(line);
      location.column = in.number32();
      return location;
    });
  }

  std::vector<std::string> texts(Reader& in) {
    return read_list(in, 1, [&] { return string(in); });
  }

  Slot slot(Reader& in) {
    Slot slot;
    slot.path = string(in);
    slot.type = values_.type(in);
    const uint8_t flags = in.byte();
    if (flags > 31) in.fail();
    slot.bank = static_cast<Bank>(flags & 1);
    slot.optional = (flags & 2) != 0;
    slot.host = (flags & 4) != 0;
    slot.builtin = (flags & 8) != 0;
    slot.compared = (flags & 16) != 0;
    slot.index = in.number32();
    slot.first_bit = in.number32();
    slot.member_symbols = read_list(in, 1, [&] { return in.number32(); });
    return slot;
  }

  FieldBinding field(Reader& in) {
    FieldBinding field;
    field.name = string(in);
    field.type = values_.type(in);
    field.optional = in.flag();
    field.slot = in.optional();
    field.record = in.optional();
    return field;
  }

  RecordBinding record_binding(Reader& in) {
    RecordBinding out;
    out.name = string(in);
    const uint8_t flags = in.byte();
    if (flags > 3) in.fail();
    out.open = (flags & 1) != 0;
    out.dynamic = (flags & 2) != 0;
    out.whole = in.optional();
    out.type = values_.record(in);
    out.fields = read_list(in, 5, [&] { return field(in); });
    return out;
  }

  Capability capability(Reader& in) {
    Capability out;
    out.name = string(in);
    out.type = string(in);
    out.risk = in.real();
    out.effects = texts(in);
    out.owner = string(in);
    out.description = string(in);
    out.scopes = texts(in);
    out.tags = texts(in);
    out.declared = in.flag();
    out.input = in.optional();
    out.output = in.optional();
    out.secrets = texts(in);
    return out;
  }

  void schema(Reader& in) {
    Schema& schema = data_.schema;
    for (const int bank : {0, 1}) {
      schema.slot_count[bank] = in.number32();
      schema.bit_words[bank] = in.number32();
    }
    schema.slots = read_list(in, 6, [&] { return slot(in); });
    schema.records = read_list(in, 5, [&] { return record_binding(in); });
    schema.capabilities = read_list(in, 18, [&] { return capability(in); });
    schema.globs = texts(in);
    const uint32_t roots = in.count(2);
    for (uint32_t i = 0; i < roots && !in.failed(); ++i) {
      std::string name = string(in);
      if (!schema.roots.empty() && schema.roots.rbegin()->first >= name) in.fail_form();
      schema.roots.emplace(std::move(name), in.number32());
    }
    schema.undeclared_input = in.optional();
    schema.undeclared_output = in.optional();
  }

  void symbols(Reader& in) {
    data_.symbols = read_list(in, 1, [&] { return values_.kept_string(in); });
    data_.symbol_sets = read_list(in, 1, [&] {
      uint64_t before = 0;
      return read_list(in, 1, [&] {
        before += in.number32();
        return static_cast<SymbolId>(before <= UINT32_MAX ? before : in.fail());
      });
    });
  }

  void constants(Reader& in) {
    data_.constants = read_list(in, 1, [&] { return values_.value(in); });
  }

  void imports(Reader& in) {
    data_.imports = read_list(in, 3, [&] {
      Import import;
      import.name = string(in);
      import.overload = string(in);
      import.args = in.number32();
      return import;
    });
    data_.prepared = read_list(in, 2, [&] {
      Prepared prepared;
      prepared.import = in.number32();
      prepared.constant = in.number32();
      return prepared;
    });
  }

  static Insn instruction(Reader& in) {
    Insn insn{};
    const uint8_t op = in.byte();
    if (op >= kOpCount) {
      in.fail();
      return insn;
    }
    insn.op = static_cast<Op>(op);
    for (int which = 0; which < 3; ++which) {
      const char kind = operand(insn.op, which).kind;
      if (kind == '-') continue;
      const uint32_t value = kind == 'K' ? in.optional() : in.number32();
      if (which == 0 && value > UINT16_MAX) in.fail();
      if (which == 0) insn.a = static_cast<uint16_t>(value);
      if (which == 1) insn.b = value;
      if (which == 2) insn.c = value;
    }
    return insn;
  }

  template <typename T, typename Read>
  static Range append(Reader& in, std::vector<T>& to, size_t smallest, const Read& read) {
    Range range{static_cast<uint32_t>(to.size()), in.count(smallest)};
    for (uint32_t i = 0; i < range.count && !in.failed(); ++i) to.push_back(read());
    return range;
  }

  void code(Reader& in) {
    data_.shared_lets = read_list(in, 2, [&] {
      SharedLet let;
      let.name = string(in);
      let.kind = in.byte();
      return let;
    });
    data_.predicates = read_list(in, 6, [&] {
      Predicate p;
      p.result = in.byte();
      p.saved_faults = in.number32();
      p.registers = append(in, data_.register_kinds, 1, [&] { return in.byte(); });
      p.code = append(in, data_.code, 2, [&] { return instruction(in); });
      p.handlers = append(in, data_.handlers, 3, [&] {
        Handler handler{};
        handler.begin = in.number32();
        handler.end = in.number32();
        handler.target = in.number32();
        return handler;
      });
      uint64_t pc = 0;
      p.locations = append(in, data_.insn_locations, 2, [&] {
        pc += in.number32();
        if (pc > UINT32_MAX) in.fail();
        return InsnLocation{static_cast<uint32_t>(pc), in.number32()};
      });
      return p;
    });
  }

  static Digest digest(Reader& in) {
    Digest out{};
    const std::string_view bytes = in.bytes(out.size());
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
  }

  RuleInfo rule(Reader& in) {
    RuleInfo out;
    out.name = string(in);
    out.policy = string(in);
    out.package = string(in);
    const uint8_t kind_and_stage = in.byte();
    out.kind = static_cast<RuleKind>(kind_and_stage & 15);
    out.stage = static_cast<Stage>(kind_and_stage >> 4);
    out.location = in.optional();
    out.redact_path = string(in);
    out.digest = digest(in);
    return out;
  }

  void rules(Reader& in) {
    data_.packages = read_list(in, 34, [&] {
      PackageInfo package;
      package.name = string(in);
      package.digest = digest(in);
      package.budget = in.number32();
      return package;
    });
    data_.rules = read_list(in, 38, [&] { return rule(in); });
    data_.rule_codes = read_list(in, 10, [&] {
      RuleCode code;
      code.rule = in.number32();
      for (uint32_t* clause : {&code.condition, &code.because, &code.because_text, &code.from, &code.expires,
                               &code.with, &code.target_set}) {
        *clause = in.optional();
      }
      code.need = in.number32();
      code.distinct = in.flag();
      return code;
    });
    data_.policy_versions = read_list(in, 2, [&] {
      PolicyVersion declared;
      declared.policy = string(in);
      declared.version = string(in);
      return declared;
    });
  }

  static Range range(Reader& in) {
    Range out;
    out.first = in.number32();
    out.count = in.number32();
    return out;
  }

  void index(Reader& in) {
    data_.index_nodes = read_list(in, 6, [&] {
      IndexNode node;
      const uint8_t test = in.byte();
      node.test = static_cast<IndexTest>(test >> 1);
      node.absent = (test & 1) != 0;
      node.slot = in.optional();
      node.next = in.optional();
      node.edges = range(in);
      node.bound = in.number();
      return node;
    });
    data_.index_edges = read_list(in, 2, [&] {
      const uint64_t key = in.number();
      return IndexEdge{key, in.number32()};
    });
    data_.index_leaves = read_list(in, 1, [&] {
      const uint64_t leaf = in.number();
      if (leaf >> 33 != 0) in.fail();
      return IndexLeaf{static_cast<uint32_t>(leaf >> 1), (leaf & 1) != 0};
    });
    data_.index_literals = read_list(in, 2, [&] {
      IndexLiteral literal;
      literal.constant = in.number32();
      const uint8_t how = in.byte();
      literal.where = static_cast<IndexLiteral::Where>(how >> 1);
      literal.ignore_case = (how & 1) != 0;
      return literal;
    });
  }

  void plan(Reader& in) {
    data_.target_sets = read_list(in, 1, [&] {
      GlobSet set;
      const uint32_t count = in.count();
      int before = -1;
      for (uint32_t i = 0; i < count && !in.failed(); ++i) {
        const uint8_t glob = in.byte();
        if (glob <= before) in.fail_form();
        before = glob;
        set.set(glob);
      }
      return set;
    });
    data_.rule_list = read_list(in, 2, [&] {
      const uint32_t entry = in.number32();
      data_.index_notes.push_back(static_cast<IndexNote>(in.byte()));
      return entry;
    });
    index(in);
    data_.package_rules = read_list(in, 22, [&] {
      PackageRules package;
      package.package = in.number32();
      package.first_match = in.number32();
      for (const RuleListInfo& list : kRuleLists) {
        RuleRange& rules = package.*list.member;
        rules.entries = range(in);
        rules.nodes = range(in);
      }
      return package;
    });
    data_.capability_rules = read_list(in, 4, [&] {
      CapabilityRules rules;
      for (Range& packages : rules.packages) packages = range(in);
      return rules;
    });
    if (!in.failed() && in.left() > 0) history(in);
  }

  static TableRange table_range(Reader& in) {
    TableRange out;
    out.first = in.number32();
    out.count = in.number32();
    return out;
  }

  // What is remembered between calls. A program without state has none of it, so it is not empty here.
  void history(Reader& in) {
    HistoryTables& tables = data_.history;
    tables.states = read_list(in, 47, [&] { return state_declaration(in); });
    tables.labels = texts(in);
    tables.key_parts = read_list(in, 3, [&] {
      KeyPart part;
      part.source = static_cast<KeySource>(in.byte());
      part.slot = in.optional();
      part.constant = in.optional();
      return part;
    });
    tables.effects = read_list(in, 8, [&] {
      StateEffect effect;
      effect.state = in.number32();
      effect.target_set = in.optional();
      effect.stage = static_cast<Stage>(in.byte());
      effect.keys = table_range(in);
      for (uint32_t* predicate : {&effect.when, &effect.amount, &effect.settle}) *predicate = in.optional();
      return effect;
    });
    tables.reads = read_list(in, 6, [&] {
      StateRead read;
      read.state = in.number32();
      read.member = static_cast<StateMember>(in.byte());
      read.other = in.optional();
      read.keys = table_range(in);
      read.slot = in.number32();
      return read;
    });
    tables.read_list = read_list(in, 1, [&] { return in.number32(); });
    tables.texts = read_list(in, 4, [&] {
      TextRead text;
      text.what = static_cast<TextRead::What>(in.byte());
      text.label = in.optional();
      text.text = in.number32();
      text.slot = in.number32();
      return text;
    });
    tables.text_list = read_list(in, 1, [&] { return in.number32(); });
    tables.label_rules = read_list(in, 42, [&] { return label_rule(in); });
    tables.capabilities = read_list(in, 13, [&] {
      CapabilityState capability;
      capability.effects = table_range(in);
      for (TableRange& reads : capability.reads) reads = table_range(in);
      for (TableRange& reads : capability.texts) reads = table_range(in);
      capability.label_rules = table_range(in);
      const uint32_t labels = in.number32();
      capability.labels = static_cast<uint16_t>(labels <= UINT16_MAX ? labels : in.fail());
      return capability;
    });
    tables.session_labels = in.optional();
    tables.prompts = in.optional();
    if (tables.capabilities.empty()) in.fail_form();
  }

  StateDecl state_declaration(Reader& in) {
    StateDecl state;
    state.name = string(in);
    state.digest = digest(in);
    state.kind = static_cast<StateKind>(in.byte());
    state.verb = static_cast<StateVerb>(in.byte());
    state.negative = in.flag();
    state.amount = static_cast<Kind>(in.byte());
    const uint32_t keys = in.count(2);
    for (uint32_t i = 0; i < keys && !in.failed(); ++i) {
      state.keys.push_back(static_cast<KeySource>(in.byte()));
      state.key_kinds.push_back(static_cast<Kind>(in.byte()));
    }
    state.window_seconds = in.number();
    state.window_nanos = in.number32();
    state.bound = in.number();
    state.limit = in.number();
    state.burst = in.number();
    state.period = static_cast<BudgetPeriod>(in.byte());
    state.limit_constant = in.optional();
    state.zone = string(in);
    state.members = in.number32();
    state.location = in.optional();
    return state;
  }

  LabelRule label_rule(Reader& in) {
    LabelRule rule;
    rule.what = static_cast<LabelRule::What>(in.byte());
    rule.label = in.number32();
    rule.target_set = in.optional();
    rule.when = in.optional();
    rule.because = in.optional();
    rule.groups = texts(in);
    rule.name = string(in);
    rule.policy = string(in);
    rule.package = string(in);
    rule.digest = digest(in);
    rule.location = in.optional();
    return rule;
  }

  std::string_view bytes_;
  ProgramData& data_;
  format::ValueReader values_;
};

}  // namespace

Result<std::shared_ptr<const Program>> Program::load(std::string_view bytes, const FunctionTable& functions) {
  ProgramData data;
  if (std::string wrong = Loader(bytes, data).load(); !wrong.empty()) {
    return Error{"bad_program", fmt::format("this is not a program: {}", wrong)};
  }
  auto program = vm::link_undigested(std::move(data), functions);
  if (!program) return program.error();
  // The loader accepts only the form that `serialise` writes, so the digest of the program is that of its file.
  assert((*program)->serialise() == bytes);
  (*program)->digest = sha256(bytes);
  return std::shared_ptr<const Program>(std::move(*program));
}

}  // namespace ordain
