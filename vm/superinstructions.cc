#include "vm/superinstructions.h"

namespace ordain {
namespace {

constexpr int kNo = -1;

// Place of the instruction in ORDAIN_ENDS, ORDAIN_COMPARED and ORDAIN_CALCULATED.
int end(Op op) { return op == Op::ret ? 0 : op == Op::jump_if ? 1 : op == Op::jump_ifn ? 2 : kNo; }

int comparison(Op op) {
  switch (op) {
    case Op::eq_int:
      return 0;
    case Op::lt_int:
      return 1;
    case Op::le_int:
      return 2;
    case Op::eq_double:
      return 3;
    case Op::lt_double:
      return 4;
    case Op::le_double:
      return 5;
    default:
      return kNo;
  }
}

int calculation(Op op) {
  switch (op) {
    case Op::add_int:
      return 0;
    case Op::sub_int:
      return 1;
    case Op::mul_int:
      return 2;
    case Op::add_double:
      return 3;
    case Op::sub_double:
      return 4;
    case Op::mul_double:
      return 5;
    default:
      return kNo;
  }
}

// The longest superinstruction that begins at `at`, or the instruction itself. Each `first` is the first of a group.
class Chooser {
 public:
  Chooser(const Insn* at, const Insn* end) : at_(at), end_(end) {}

  Step choose() const {
    switch (op(0)) {
      case Op::load:
        if (op(1) == Op::const_ && is_compared(2)) return compared(Step::loadThenconst_Theneq_intThenret, 2);
        if (op(1) == Op::load && is_compared(2)) return compared(Step::loadThenloadTheneq_intThenret, 2);
        if (is_compared(1)) return compared(Step::loadTheneq_intThenret, 1);
        if (op(1) == Op::const_ && calculation(op(2)) != kNo) {
          return member(Step::loadThenconst_Thenadd_int, calculation(op(2)));
        }
        if (calculation(op(1)) != kNo) return member(Step::loadThenadd_int, calculation(op(1)));
        return ended(Step::loadThenret);
      case Op::const_:
        if (is_compared(1)) return compared(Step::const_Theneq_intThenret, 1);
        if (calculation(op(1)) != kNo) return member(Step::const_Thenadd_int, calculation(op(1)));
        return op(1) == Op::ret ? Step::const_Thenret : Step::const_;
      case Op::has_slot:
        return ended(Step::has_slotThenret);
      case Op::slot_eq:
        return ended(Step::slot_eqThenret);
      case Op::slot_in:
        return ended(Step::slot_inThenret);
      case Op::slot_has:
        return ended(Step::slot_hasThenret);
      default:
        return static_cast<Step>(op(0));
    }
  }

 private:
  // What lies past the end is read as `charge`, with which nothing is fused.
  Op op(uint32_t i) const { return i < end_ - at_ ? at_[i].op : Op::charge; }
  static Step member(Step first, int place) { return static_cast<Step>(static_cast<int>(first) + place); }

  bool is_compared(uint32_t i) const { return comparison(op(i)) != kNo && end(op(i + 1)) != kNo; }
  Step compared(Step first, uint32_t i) const { return member(first, 3 * comparison(op(i)) + end(op(i + 1))); }
  Step ended(Step first) const { return end(op(1)) != kNo ? member(first, end(op(1))) : static_cast<Step>(op(0)); }

  const Insn* at_;
  const Insn* end_;
};

}  // namespace

std::vector<uint8_t> choose_steps(const ProgramData& data) {
  std::vector<uint8_t> out(data.code.size());
  for (const Predicate& predicate : data.predicates) {
    const Insn* begin = data.code.data() + predicate.code.first;
    const Insn* end = begin + predicate.code.count;
    for (const Insn* at = begin; at != end; ++at) {
      out[static_cast<size_t>(at - data.code.data())] = static_cast<uint8_t>(Chooser(at, end).choose());
    }
  }
  return out;
}

}  // namespace ordain
