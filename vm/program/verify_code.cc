// Verifies predicates instruction by instruction: operands must be in range and of the kinds
// that opcodes.def gives. verify_flow.cc verifies how control flows, and which registers are
// assigned where.
#include <fmt/format.h>

#include "vm/program/verify.h"

namespace ordain::vm {
namespace {

uint8_t kind_of_letter(char letter) {
  const auto number = [](Kind kind) { return static_cast<uint8_t>(kind); };
  switch (letter) {
    case 'b':
      return number(Kind::boolean);
    case 'i':
      return number(Kind::integer);
    case 'u':
      return number(Kind::unsigned_integer);
    case 'd':
      return number(Kind::floating);
    case 's':
      return number(Kind::string);
    case 'L':
      return number(Kind::list);
    case 'M':
      return number(Kind::map);
    case 'O':
      return number(Kind::optional);
    case 'T':
      return number(Kind::type);
    case '#':
      return kBuilderKind;
    default:
      return kAnyKind;
  }
}

// How a register must be declared to hold values of a type.
uint8_t register_kind(const Type& type) {
  const Kind kind = kind_of(type);
  return kind == Kind::absent ? kAnyKind : static_cast<uint8_t>(kind);
}

class CodeChecker {
 public:
  CodeChecker(const ProgramData& data, const LinkTables& link) : data_(data), link_(link) {}

  std::string check() {
    if (data_.shared_lets.size() > kMaxSharedLets) return "there are too many shared lets";
    for (const SharedLet& let : data_.shared_lets) {
      if (!valid_utf8(let.name)) return "a let's name is not UTF-8";
      if (let.kind == kBuilderKind || !known_kind(let.kind)) return fmt::format("let `{}` is of no kind", let.name);
    }
    Predicate next;  // where the next predicate's ranges must begin
    for (size_t i = 0; i < data_.predicates.size(); ++i) {
      const Predicate& p = data_.predicates[i];
      std::string wrong = layout(p, next);
      if (wrong.empty()) wrong = predicate(p);
      if (!wrong.empty()) return fmt::format("predicate {}: {}", i, wrong);
      next.code.first += p.code.count;
      next.registers.first += p.registers.count;
      next.handlers.first += p.handlers.count;
      next.locations.first += p.locations.count;
    }
    if (next.code.first != data_.code.size() || next.registers.first != data_.register_kinds.size() ||
        next.handlers.first != data_.handlers.size() || next.locations.first != data_.insn_locations.size()) {
      return "there is code that belongs to no predicate";
    }
    return "";
  }

 private:
  // Predicates follow one another without gaps or overlaps.
  std::string layout(const Predicate& p, const Predicate& next) const {
    if (p.code.first != next.code.first || p.registers.first != next.registers.first ||
        p.handlers.first != next.handlers.first || p.locations.first != next.locations.first ||
        !inside(p.code, data_.code.size()) || !inside(p.registers, data_.register_kinds.size()) ||
        !inside(p.handlers, data_.handlers.size()) || !inside(p.locations, data_.insn_locations.size())) {
      return "its parts do not follow the predicate before";
    }
    if (p.code.count == 0) return "it has no code";
    if (p.registers.count > UINT16_MAX || p.saved_faults > UINT16_MAX) return "it has too many registers";
    if (p.result == kBuilderKind || !known_kind(p.result)) return "its result is of no kind";
    for (uint32_t i = 0; i < p.registers.count; ++i) {
      if (!known_kind(data_.register_kinds[p.registers.first + i])) return fmt::format("register r{} is of no kind", i);
    }
    for (uint32_t i = 0; i < p.handlers.count; ++i) {
      const Handler& handler = data_.handlers[p.handlers.first + i];
      if (handler.begin >= handler.end || handler.end > p.code.count || handler.target >= p.code.count) {
        return fmt::format("handler {} is outside the predicate", i);
      }
    }
    for (uint32_t i = 0; i < p.locations.count; ++i) {
      const InsnLocation& at = data_.insn_locations[p.locations.first + i];
      if (at.pc >= p.code.count || at.location >= data_.locations.size()) return "a location is not there";
      if (i > 0 && data_.insn_locations[p.locations.first + i - 1].pc >= at.pc) return "its locations are not sorted";
    }
    return "";
  }

  static bool known_kind(uint8_t kind) {
    return (kind > 0 && kind < kKindCount) || kind == kAnyKind || kind == kBuilderKind;
  }

  std::string predicate(const Predicate& p) {
    p_ = &p;
    for (uint32_t pc = 0; pc < p.code.count; ++pc) {
      const Insn& insn = data_.code[p.code.first + pc];
      if (static_cast<uint16_t>(insn.op) >= kOpCount) return fmt::format("pc {}: there is no such instruction", pc);
      std::string wrong = instruction(insn);
      if (!wrong.empty()) return fmt::format("pc {}: {}: {}", pc, op_info(insn.op).name, wrong);
    }
    if (!never_falls_through(data_.code[p.code.first + p.code.count - 1].op)) return "its code runs past its end";
    return verify_flow(data_, p);
  }

  uint8_t declared(uint32_t r) const { return data_.register_kinds[p_->registers.first + r]; }

  std::string instruction(const Insn& insn) const {
    for (int which = 0; which < 3; ++which) {
      const Operand op = operand(insn.op, which);
      std::string wrong = one_operand(insn, op, operand_value(insn, which));
      if (!wrong.empty()) return wrong;
    }
    return together(insn);
  }

  // Checks an operand by itself.
  std::string one_operand(const Insn& insn, Operand op, uint32_t value) const {
    if (is_register(op.kind)) {
      if (value >= p_->registers.count) return fmt::format("there is no register r{}", value);
      const uint8_t kind = declared(value);
      const uint8_t wanted = kind_of_letter(op.kind);
      const bool fits = op.kind == '*' || op.kind == '@' ? kind != kBuilderKind : kind == wanted;
      return fits ? "" : fmt::format("register r{} is of the wrong kind", value);
    }
    const Schema& schema = data_.schema;
    switch (op.kind) {
      case 'K':
        if (value == kNone && insn.op == Op::fail) return "";
        return value < data_.constants.size() ? "" : "there is no such constant";
      case 'S':
        return value < schema.slots.size() ? "" : "there is no such slot";
      case 'Y':
        return value != 0 && value <= data_.symbols.size() ? "" : "there is no such symbol";
      case 'Z':
        return value < data_.symbol_sets.size() ? "" : "there is no such symbol set";
      case 'J':
        return value < p_->code.count ? "" : "it jumps out of the predicate";
      case 'F':
        return value < p_->saved_faults ? "" : "there is no such fault register";
      case 'I':
        return value < data_.imports.size() ? "" : "there is no such import";
      case 'P':
        return value < data_.prepared.size() ? "" : "there is no such prepared call";
      case 'V':
        return value < data_.shared_lets.size() ? "" : "there is no such let";
      default:
        return "";  // N, and operands whose meaning depends on others: B, R
    }
  }

  // Checks operands against each other.
  std::string together(const Insn& insn) const {
    switch (insn.op) {
      case Op::const_:
        return same(insn.a, static_cast<uint8_t>(data_.constants[insn.b].kind));
      case Op::mov:
        return same(insn.a, declared(insn.b));
      case Op::load:
        return same(insn.a, register_kind(*data_.schema.slots[insn.b].type));
      case Op::ret:
        return p_->result == kAnyKind || declared(insn.a) == p_->result ? "" : "the result is of another kind";
      case Op::slot_eq:
      case Op::slot_in:
        return data_.schema.slots[insn.b].compared ? "" : "the slot has no symbol";
      case Op::slot_has:
        return has_bit(data_.schema.slots[insn.b], insn.c) ? "" : "the slot has no such bit";
      case Op::fail:
        return insn.a > 0 && insn.a <= static_cast<uint16_t>(FaultCode::host_error) ? "" : "there is no such fault";
      case Op::select:
      case Op::has_field:
      case Op::select_optional:
        if (!data_.constants[insn.c].is(Kind::string)) return "the field's name is not a string";
        return insn.op == Op::select ? any_destination(insn.a) : "";
      case Op::index:
      case Op::iter_item:
      case Op::iter_key:
      case Op::iter_value:
        return any_destination(insn.a);
      case Op::recall:
        return same(insn.a, data_.shared_lets[insn.c].kind);
      case Op::remember: {
        const uint8_t kind = data_.shared_lets[insn.b].kind;
        return kind == kAnyKind || declared(insn.a) == kind ? "" : "the let is of another kind";
      }
      case Op::call:
        return call(insn, insn.b);
      case Op::call_prepared:
        return call(insn, data_.prepared[insn.b].import);
      case Op::call_dynamic:
        return call(insn, insn.b);
      default:
        return "";
    }
  }

  static bool has_bit(const Slot& slot, uint32_t bit) {
    return bit >= slot.first_bit && bit - slot.first_bit < slot.member_symbols.size();
  }

  // Register `r` takes a value of kind `kind`: it must be declared as that kind, or as any.
  std::string same(uint32_t r, uint8_t kind) const {
    return declared(r) == kind || declared(r) == kAnyKind ? "" : fmt::format("register r{} is of another kind", r);
  }
  std::string any_destination(uint32_t r) const {
    return declared(r) == kAnyKind ? "" : fmt::format("register r{} is not of kind any", r);
  }

  std::string call(const Insn& insn, uint32_t import) const {
    const Overload* overload = link_.overloads[import];
    const uint32_t args = data_.imports[import].args;
    if ((overload == nullptr) != (insn.op == Op::call_dynamic)) return "the import is of the other sort";
    if (uint64_t{insn.c} + args > p_->registers.count) return "its arguments are outside the registers";
    for (uint32_t i = 0; i < args; ++i) {
      const uint8_t kind = declared(insn.c + i);
      const uint8_t wanted = overload == nullptr ? kAnyKind : register_kind(*overload->params[i]);
      if (kind == kBuilderKind || (wanted != kAnyKind && kind != wanted)) {
        return fmt::format("argument {} (r{}) is of the wrong kind", i, insn.c + i);
      }
    }
    return same(insn.a, overload == nullptr ? kAnyKind : register_kind(*overload->result));
  }

  const ProgramData& data_;
  const LinkTables& link_;
  const Predicate* p_ = nullptr;
};

}  // namespace

uint32_t argument_count(const ProgramData& data, const Insn& insn) {
  switch (insn.op) {
    case Op::call:
    case Op::call_dynamic:
      return data.imports[insn.b].args;
    case Op::call_prepared:
      return data.imports[data.prepared[insn.b].import].args;
    default:
      return 0;
  }
}

std::string verify_code(const ProgramData& data, const LinkTables& link) { return CodeChecker(data, link).check(); }

}  // namespace ordain::vm
