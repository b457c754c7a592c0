// Chooses the superinstruction, if any, that the interpreter runs at each instruction of a program.
#include "vm/program/superinstructions.h"

#include <algorithm>

namespace ordain::vm {
namespace {

constexpr int kNo = -1;

// In the order of ORDAIN_ENDS, ORDAIN_COMPARED and ORDAIN_CALCULATED.
constexpr Op kEnds[] = {Op::ret, Op::jump_if, Op::jump_ifn};
constexpr Op kComparisons[] = {Op::eq_int, Op::lt_int, Op::le_int, Op::eq_double, Op::lt_double, Op::le_double};
constexpr Op kCalculations[] = {Op::add_int, Op::sub_int, Op::mul_int, Op::add_double, Op::sub_double, Op::mul_double};

// Returns the position in `ops`, or kNo.
template <size_t N>
int place(const Op (&ops)[N], Op op) {
  const Op* at = std::find(ops, ops + N, op);
  return at == ops + N ? kNo : static_cast<int>(at - ops);
}
int end(Op op) { return place(kEnds, op); }
int comparison(Op op) { return place(kComparisons, op); }
int calculation(Op op) { return place(kCalculations, op); }

// Chooses the longest superinstruction that begins at `at`, or the instruction itself. Each `first`
// is the first member of a group.
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
  // Anything past the end is read as `charge`, which is never fused.
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

}  // namespace ordain::vm
