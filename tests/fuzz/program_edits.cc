// Edits of a program's tables. An edit either sets a number to one near a limit that the verifier
// checks (another element, the size of a table, none), or adds or removes an element and moves the
// ranges behind it, so that the tables still fit together.
#include "tests/fuzz/program_edits.h"

#include <algorithm>
#include <array>
#include <limits>

namespace ordain::fuzz {
namespace {

constexpr uint8_t kKinds[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, kAnyKind, kBuilderKind};

class Editor {
 public:
  Editor(ProgramData& data, std::mt19937_64& random) : d_(data), random_(random) {}

  void edit() {
    using Edit = void (Editor::*)();
    // Code and the index come several times, because most of what engines read unchecked is there.
    static constexpr Edit kEdits[] = {&Editor::operand,       &Editor::operand,
                                      &Editor::operation,     &Editor::operation,
                                      &Editor::insert_insn,   &Editor::remove_insn,
                                      &Editor::swap_insns,    &Editor::register_kind,
                                      &Editor::add_register,  &Editor::handler,
                                      &Editor::add_handler,   &Editor::predicate,
                                      &Editor::location,      &Editor::slot,
                                      &Editor::slot,          &Editor::members,
                                      &Editor::banks,         &Editor::record,
                                      &Editor::capability,    &Editor::roots,
                                      &Editor::symbols,       &Editor::constant,
                                      &Editor::constant,      &Editor::import,
                                      &Editor::rule,          &Editor::rule_code,
                                      &Editor::rule_code,     &Editor::rule_list,
                                      &Editor::node,          &Editor::node,
                                      &Editor::node,          &Editor::edge,
                                      &Editor::drop_edges,    &Editor::leaf,
                                      &Editor::literal,       &Editor::package_rules,
                                      &Editor::package_rules, &Editor::capability_rules};
    (this->*kEdits[below(std::size(kEdits))])();
  }

 private:
  // --- numbers

  uint64_t below(uint64_t end) { return end == 0 ? 0 : random_() % end; }
  bool coin() { return (random_() & 1) != 0; }
  template <typename T>
  T* any(std::vector<T>& all) {
    return all.empty() ? nullptr : &all[below(all.size())];
  }

  // A number for which `size` is the limit.
  uint32_t number(uint32_t now, size_t size) {
    const auto end = static_cast<uint32_t>(size);
    switch (below(8)) {
      case 0:
        return 0;
      case 1:
        return end;
      case 2:
        return end - 1;
      case 3:
        return now + 1;
      case 4:
        return now - 1;
      case 5:
        return coin() ? kNone : static_cast<uint32_t>(random_() >> below(64));
      default:
        return static_cast<uint32_t>(below(end));
    }
  }
  uint64_t wide(uint64_t now) {
    switch (below(5)) {
      case 0:
        return 0;
      case 1:
        return UINT64_MAX;
      case 2:
        return uint64_t{1} << below(64);
      default:
        return coin() ? now + 1 : now - 1;
    }
  }
  void change(Range* range, size_t size) {
    if (coin()) range->first = number(range->first, size);
    if (coin()) range->count = number(range->count, size);
  }

  // --- code

  Predicate* predicate_with_code() {
    Predicate* p = any(d_.predicates);
    return p == nullptr || p->code.count == 0 ? nullptr : p;
  }

  uint32_t operand_like(const Predicate& p, char kind, uint32_t now) {
    switch (kind) {
      case 'K':
        return number(now, d_.constants.size());
      case 'S':
        return number(now, d_.schema.slots.size());
      case 'Y':
        return number(now, d_.symbols.size() + 1);
      case 'Z':
        return number(now, d_.symbol_sets.size());
      case 'J':
        return number(now, p.code.count);
      case 'F':
        return number(now, p.saved_faults);
      case 'I':
        return number(now, d_.imports.size());
      case 'P':
        return number(now, d_.prepared.size());
      case 'N':
        return number(now, 8);
      case 'B':
        return number(now, 64);
      case 'V':
        return number(now, d_.shared_lets.size());
      default:
        return number(now, p.registers.count);
    }
  }

  static char letter(Op op, int which) {
    const char* at = op_info(op).operands;
    for (; which > 0; ++at) which -= *at == ' ' ? 1 : 0;
    return *at == '=' ? at[1] : *at;
  }

  void change_operand(const Predicate& p, Insn& insn, int which) {
    const char kind = letter(insn.op, which);
    if (kind == '-') return;
    if (which == 0) insn.a = static_cast<uint16_t>(operand_like(p, kind, insn.a));
    if (which == 1) insn.b = operand_like(p, kind, insn.b);
    if (which == 2) insn.c = operand_like(p, kind, insn.c);
  }

  void operand() {
    const Predicate* p = predicate_with_code();
    if (p == nullptr) return;
    Insn& insn = d_.code[p->code.first + below(p->code.count)];
    change_operand(*p, insn, static_cast<int>(below(3)));
  }

  Insn random_insn(const Predicate& p) {
    Insn insn{static_cast<Op>(below(kOpCount))};
    for (const int which : {0, 1, 2}) change_operand(p, insn, which);
    return insn;
  }

  void operation() {
    const Predicate* p = predicate_with_code();
    if (p == nullptr) return;
    Insn& insn = d_.code[p->code.first + below(p->code.count)];
    const Insn before = insn;
    insn = random_insn(*p);
    if (coin()) {  // keeps the operands
      insn.a = before.a;
      insn.b = before.b;
      insn.c = before.c;
    }
  }

  // Moves everything of one kind behind a predicate by `by`.
  void shift(const Predicate* p, Range Predicate::* part, uint32_t by) {
    (const_cast<Predicate*>(p)->*part).count += by;
    for (const Predicate* next = p + 1; next != d_.predicates.data() + d_.predicates.size(); ++next) {
      (const_cast<Predicate*>(next)->*part).first += by;
    }
  }

  // Jumps, handlers and locations behind `at` move along.
  void move_targets(const Predicate& p, uint32_t at, uint32_t by) {
    const auto move = [at, by](uint32_t* pc) { *pc += *pc > at ? by : 0; };
    for (uint32_t i = 0; i < p.code.count; ++i) {
      Insn& insn = d_.code[p.code.first + i];
      if (letter(insn.op, 1) == 'J') move(&insn.b);
    }
    for (uint32_t i = 0; i < p.handlers.count; ++i) {
      Handler& handler = d_.handlers[p.handlers.first + i];
      for (uint32_t* pc : {&handler.begin, &handler.end, &handler.target}) move(pc);
    }
    for (uint32_t i = 0; i < p.locations.count; ++i) move(&d_.insn_locations[p.locations.first + i].pc);
  }

  void insert_insn() {
    const Predicate* p = predicate_with_code();
    if (p == nullptr) return;
    const auto at = static_cast<uint32_t>(below(p->code.count));
    const Insn insn = coin() ? d_.code[below(d_.code.size())] : random_insn(*p);
    if (coin()) move_targets(*p, at, 1);
    d_.code.insert(d_.code.begin() + p->code.first + at, insn);
    shift(p, &Predicate::code, 1);
  }

  void remove_insn() {
    const Predicate* p = predicate_with_code();
    if (p == nullptr) return;
    const auto at = static_cast<uint32_t>(below(p->code.count));
    d_.code.erase(d_.code.begin() + p->code.first + at);
    shift(p, &Predicate::code, UINT32_MAX);
    if (coin()) move_targets(*p, at, UINT32_MAX);
  }

  void swap_insns() {
    const Predicate* p = predicate_with_code();
    if (p == nullptr) return;
    std::swap(d_.code[p->code.first + below(p->code.count)], d_.code[p->code.first + below(p->code.count)]);
  }

  void register_kind() {
    if (uint8_t* kind = any(d_.register_kinds)) *kind = kKinds[below(std::size(kKinds))];
  }

  void add_register() {
    const Predicate* p = any(d_.predicates);
    if (p == nullptr) return;
    d_.register_kinds.insert(d_.register_kinds.begin() + p->registers.first + p->registers.count,
                             kKinds[below(std::size(kKinds))]);
    shift(p, &Predicate::registers, 1);
  }

  Handler random_handler(const Predicate& p, Handler like) {
    for (uint32_t* pc : {&like.begin, &like.end, &like.target}) {
      if (coin()) *pc = number(*pc, p.code.count);
    }
    return like;
  }

  void handler() {
    const Predicate* p = any(d_.predicates);
    if (p == nullptr || p->handlers.count == 0) return;
    Handler& handler = d_.handlers[p->handlers.first + below(p->handlers.count)];
    handler = random_handler(*p, handler);
  }

  void add_handler() {
    const Predicate* p = predicate_with_code();
    if (p == nullptr) return;
    const Handler whole{0, p->code.count, p->code.count - 1};
    d_.handlers.insert(d_.handlers.begin() + p->handlers.first + static_cast<ptrdiff_t>(below(p->handlers.count + 1)),
                       random_handler(*p, whole));
    shift(p, &Predicate::handlers, 1);
  }

  void predicate() {
    Predicate* p = any(d_.predicates);
    if (p == nullptr) return;
    if (coin()) p->result = kKinds[below(std::size(kKinds))];
    if (coin()) p->saved_faults = number(p->saved_faults, 4) & 0x1FFFF;
  }

  void location() {
    if (InsnLocation* at = any(d_.insn_locations)) at->location = number(at->location, d_.locations.size());
    if (Location* at = any(d_.locations)) at->file = number(at->file, d_.files.size());
  }

  // --- facts

  void slot() {
    Slot* slot = any(d_.schema.slots);
    if (slot == nullptr) return;
    static const Type* const kTypes[] = {&types::kBool,    &types::kInt,    &types::kUint,       &types::kDouble,
                                         &types::kString,  &types::kBytes,  &types::kTimestamp,  &types::kDuration,
                                         &types::kListDyn, &types::kMapDyn, &types::kListString, &types::kDyn,
                                         &types::kNull};
    switch (below(8)) {
      case 0:
        slot->type = kTypes[below(std::size(kTypes))];
        break;
      case 1:
        slot->bank = slot->bank == Bank::call ? Bank::context : Bank::call;
        break;
      case 2:
        slot->index = number(slot->index, d_.schema.slots.size());
        break;
      case 3:
        slot->optional = !slot->optional;
        break;
      case 4:
        slot->host = !slot->host;
        break;
      case 5:
        slot->builtin = !slot->builtin;
        break;
      case 6:
        slot->compared = !slot->compared;
        break;
      default:
        slot->first_bit = coin() ? slot->first_bit + 64 : number(slot->first_bit, 128);
    }
  }

  void members() {
    Slot* slot = any(d_.schema.slots);
    if (slot == nullptr) return;
    if (!slot->member_symbols.empty() && coin()) {
      slot->member_symbols.pop_back();
      return;
    }
    if (coin()) slot->type = &types::kListString;
    slot->member_symbols.push_back(number(1, d_.symbols.size() + 1));
    if (slot->member_symbols.size() == 1 && coin()) {
      slot->first_bit = 64 * d_.schema.bit_words[static_cast<size_t>(slot->bank)]++;
    }
  }

  void banks() {
    const size_t bank = below(2);
    uint32_t& count = coin() ? d_.schema.slot_count[bank] : d_.schema.bit_words[bank];
    count = number(count, d_.schema.slots.size());
  }

  void record() {
    RecordBinding* record = any(d_.schema.records);
    if (record == nullptr) return;
    FieldBinding* field = any(record->fields);
    switch (below(6)) {
      case 0:
        record->whole = number(record->whole, d_.schema.slots.size());
        break;
      case 1:
        record->open = !record->open;
        break;
      case 2:
        record->dynamic = !record->dynamic;
        break;
      case 3:
        if (field != nullptr) field->record = number(field->record, d_.schema.records.size());
        break;
      case 4:
        if (field != nullptr) field->optional = !field->optional;
        break;
      default:
        if (field == nullptr) break;
        field->slot = number(field->slot, d_.schema.slots.size());
        if (field->slot < d_.schema.slots.size() && coin()) field->type = d_.schema.slots[field->slot].type;
    }
  }

  void capability() {
    Capability* capability = any(d_.schema.capabilities);
    if (capability == nullptr) return;
    uint32_t& record = coin() ? capability->input : capability->output;
    record = number(record, d_.schema.records.size());
    if (coin()) capability->declared = !capability->declared;
    if (coin()) capability->risk = std::numeric_limits<double>::max();
    if (coin()) {
      constexpr const char* kPaths[] = {"input.to", "output.iban", "input.items[*]", "input", "input.[", "[*]", ""};
      capability->secrets.emplace_back(kPaths[number(0, std::size(kPaths)) % std::size(kPaths)]);
    }
  }

  void roots() {
    for (auto& [name, record] : d_.schema.roots) {
      if (coin()) record = number(record, d_.schema.records.size());
    }
    uint32_t& record = coin() ? d_.schema.undeclared_input : d_.schema.undeclared_output;
    record = number(record, d_.schema.records.size());
  }

  // --- constants and functions

  void symbols() {
    if (std::string_view* symbol = any(d_.symbols); symbol != nullptr && coin()) {
      *symbol = coin() ? std::string_view() : d_.symbols.front();
    } else if (coin()) {
      const char letter = static_cast<char>('a' + below(26));
      d_.symbols.push_back(d_.memory.copy(std::string_view(&letter, 1)));
    } else if (auto* set = any(d_.symbol_sets)) {
      set->clear();
    } else {
      d_.symbol_sets.push_back({1});
    }
  }

  Value random_value() {
    static constexpr double kDoubles[] = {
        0.0, -0.0, 1.5, -1e308, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()};
    switch (below(10)) {
      case 0:
        return Value::null();
      case 1:
        return Value::boolean(coin());
      case 2:
        return Value::integer(static_cast<int64_t>(wide(random_())));
      case 3:
        return Value::unsigned_integer(wide(random_()));
      case 4:
        return Value::floating(kDoubles[below(std::size(kDoubles))]);
      case 5:
        return Value::string(d_.memory.copy(std::string_view("(a+)?b").substr(below(7))));
      case 6:
        return coin() ? Value::timestamp(static_cast<int64_t>(wide(1)), 5) : Value::duration(-5, -5);
      case 7:
        return Value::optional(coin() ? nullptr : d_.memory.make<Value>(Value::integer(1)));
      case 8:
        return Value::list({});
      default: {
        const Value element = d_.constants.empty() ? Value::integer(7) : d_.constants[below(d_.constants.size())];
        return Value::list({d_.memory.make<Value>(element), 1});
      }
    }
  }

  void constant() {
    if (d_.constants.empty() || below(4) == 0) {
      d_.constants.push_back(random_value());
    } else if (coin()) {
      std::swap(*any(d_.constants), *any(d_.constants));
    } else {
      *any(d_.constants) = random_value();
    }
  }

  void import() {
    if (Prepared* prepared = any(d_.prepared); prepared != nullptr && coin()) {
      prepared->import = number(prepared->import, d_.imports.size());
      prepared->constant = number(prepared->constant, d_.constants.size());
      return;
    }
    if (d_.imports.empty()) return;
    if (coin()) {
      std::swap(*any(d_.imports), *any(d_.imports));
    } else if (coin()) {
      any(d_.imports)->args = number(1, 4);
    } else {
      any(d_.imports)->overload.clear();
    }
  }

  // --- rules

  void rule() {
    RuleInfo* rule = any(d_.rules);
    if (rule == nullptr) return;
    if (coin()) rule->stage = rule->stage == Stage::before ? Stage::after : Stage::before;
    if (coin()) return;
    rule->kind = static_cast<RuleKind>(below(5));
    rule->redact_path = rule->kind == RuleKind::redact ? "output.x" : "";
  }

  void rule_code() {
    RuleCode* code = any(d_.rule_codes);
    if (code == nullptr) return;
    uint32_t* const clauses[] = {&code->condition, &code->because, &code->from, &code->expires, &code->with};
    uint32_t& clause = *clauses[below(std::size(clauses))];
    clause = number(clause, d_.predicates.size());
    if (below(4) == 0) code->rule = number(code->rule, d_.rules.size());
    if (below(4) == 0) code->because_text = number(code->because_text, d_.constants.size());
    if (below(4) == 0) code->target_set = number(code->target_set, d_.target_sets.size());
    if (below(8) == 0) code->need = static_cast<uint32_t>(below(4));
    if (below(8) == 0) code->distinct = !code->distinct;
  }

  void rule_list() {
    if (d_.rule_list.empty()) return;
    if (coin()) {
      std::swap(*any(d_.rule_list), *any(d_.rule_list));
    } else {
      uint32_t* entry = any(d_.rule_list);
      *entry = number(*entry, d_.rule_codes.size());
    }
  }

  void node() {
    IndexNode* node = any(d_.index_nodes);
    if (node == nullptr) return;
    switch (below(6)) {
      case 0:
        node->test = static_cast<IndexTest>(below(kIndexTests));
        break;
      case 1:
        node->slot = number(node->slot, d_.schema.slots.size());
        break;
      case 2:
        node->next = number(node->next, d_.index_nodes.size());
        break;
      case 3:
        node->absent = !node->absent;
        break;
      case 4:
        change(&node->edges, d_.index_edges.size());
        break;
      default:
        node->bound = wide(node->bound);
    }
  }

  void edge() {
    IndexEdge* edge = any(d_.index_edges);
    if (edge == nullptr) return;
    if (coin()) edge->key = wide(edge->key);
    if (coin()) edge->node = number(edge->node, d_.index_nodes.size());
  }

  // Removes some or all edges (or leaves) of a node.
  void drop_edges() {
    IndexNode* node = any(d_.index_nodes);
    if (node == nullptr || node->edges.count == 0) return;
    const bool leaves = node->test == IndexTest::leaf;
    const auto dropped = static_cast<uint32_t>(coin() ? node->edges.count : 1 + below(node->edges.count));
    const uint64_t end = uint64_t{node->edges.first} + node->edges.count;
    const size_t size = leaves ? d_.index_leaves.size() : d_.index_edges.size();
    if (end > size) return;
    const auto drop = [&](auto& table) {
      table.erase(table.begin() + static_cast<ptrdiff_t>(end - dropped), table.begin() + static_cast<ptrdiff_t>(end));
    };
    leaves ? drop(d_.index_leaves) : drop(d_.index_edges);
    node->edges.count -= dropped;
    for (IndexNode* next = node + 1; next != d_.index_nodes.data() + d_.index_nodes.size(); ++next) {
      if ((next->test == IndexTest::leaf) == leaves) next->edges.first -= dropped;
    }
  }

  void leaf() {
    IndexLeaf* leaf = any(d_.index_leaves);
    if (leaf == nullptr) return;
    if (coin()) leaf->entry = number(leaf->entry, d_.rule_list.size());
    if (coin()) leaf->sure = !leaf->sure;
  }

  void literal() {
    IndexLiteral* literal = any(d_.index_literals);
    if (literal == nullptr) return;
    if (coin()) literal->constant = number(literal->constant, d_.constants.size());
    if (coin()) literal->where = static_cast<IndexLiteral::Where>(below(4));
    if (coin()) literal->ignore_case = !literal->ignore_case;
  }

  void package_rules() {
    PackageRules* package = any(d_.package_rules);
    if (package == nullptr) return;
    RuleRange& rules = package->*kRuleLists[below(kRuleLists.size())].member;
    switch (below(6)) {
      case 0:
        change(&rules.entries, d_.rule_list.size());
        break;
      case 1:
        change(&rules.nodes, d_.index_nodes.size());
        break;
      case 2:
        rules.nodes = {};
        break;
      case 3:
        package->first_match = number(package->first_match, 2);
        break;
      case 4:
        if (PackageInfo* info = any(d_.packages)) info->budget = number(info->budget, 100);
        break;
      default:
        package->package = number(package->package, d_.packages.size());
    }
  }

  void capability_rules() {
    if (below(4) == 0) {
      d_.capability_rules.clear();
      if (coin()) {
        d_.rule_list.clear();
        d_.index_notes.clear();
        d_.package_rules.clear();
      }
      return;
    }
    if (CapabilityRules* rules = any(d_.capability_rules)) change(&rules->packages[below(2)], d_.package_rules.size());
  }

  ProgramData& d_;
  std::mt19937_64& random_;
};

}  // namespace

void edit_program(ProgramData& data, std::mt19937_64& random) {
  Editor editor(data, random);
  for (uint64_t left = 1 + random() % 6; left > 0; --left) editor.edit();
}

}  // namespace ordain::fuzz
