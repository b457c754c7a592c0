// lower_intrinsic.cc lowers calls that are computed in place: rows of the function table that name
// an Intrinsic, if the kinds of their arguments are known. Their cost is charged as for a call.
#include <algorithm>

#include "vm/jit/lower.h"

namespace ordain::native {
namespace {

constexpr auto kInt = static_cast<uint8_t>(Kind::integer);
constexpr auto kUint = static_cast<uint8_t>(Kind::unsigned_integer);
constexpr auto kDouble = static_cast<uint8_t>(Kind::floating);
constexpr auto kString = static_cast<uint8_t>(Kind::string);

/// One step per ten bytes.
constexpr uint64_t kBytesAStep = 10;

/// Sets of up to this many numbers become a chain of comparisons; sparse sets of up to kTree become
/// a tree.
constexpr size_t kChain = 4;
constexpr size_t kTree = 32;
/// A set becomes a table of bits if that takes no more than this many bits per member.
constexpr uint64_t kBitsAMember = 256;

}  // namespace

bool is_intrinsic(const ProgramData& data, const LinkTables& link, const Predicate& predicate, const Insn& insn) {
  const bool prepared = insn.op == Op::call_prepared;
  if (!prepared && insn.op != Op::call) return false;
  const Overload* overload = prepared ? link.prepared[insn.b].overload : link.overloads[insn.b];
  const uint8_t* kinds = data.register_kinds.data() + predicate.registers.first + insn.c;
  const auto is_int = [](const Value& element) { return element.is(Kind::integer); };
  switch (overload == nullptr ? Intrinsic::none : overload->intrinsic) {
    case Intrinsic::none:
      return false;
    case Intrinsic::starts_with:
    case Intrinsic::ends_with:
    case Intrinsic::contains:
      return kinds[0] == kString && kinds[1] == kString;
    case Intrinsic::in_list: {
      if (!prepared || (kinds[0] != kInt && kinds[0] != kAnyKind)) return false;
      const Value& list = data.constants[data.prepared[insn.b].constant];
      return list.aux != 0 && std::ranges::all_of(list.as_list(), is_int);
    }
    case Intrinsic::int_to_double:
      return kinds[0] == kInt;
    case Intrinsic::uint_to_double:
      return kinds[0] == kUint;
    case Intrinsic::same:
      return true;
  }
  return false;
}

/// Lowers a call for which is_intrinsic holds. `list` is the prepared constant.
void PredicateLowering::intrinsic(const Insn& insn, Intrinsic which, const Value* list) {
  const uint32_t first = insn.c;
  switch (which) {
    case Intrinsic::none:
      return;
    case Intrinsic::starts_with:
    case Intrinsic::ends_with:
      return set_boolean(insn.a, has_affix(first, which == Intrinsic::ends_with));
    case Intrinsic::contains:
      return set_boolean(insn.a, contains_text(first));
    case Intrinsic::in_list:
      return in_constant_list(insn, *list);
    case Intrinsic::int_to_double:
    case Intrinsic::uint_to_double: {
      V from = integer(first);
      V to = which == Intrinsic::int_to_double ? b_.CreateSIToFP(from, b_.getDoubleTy())
                                               : b_.CreateUIToFP(from, b_.getDoubleTy());
      if (kind(insn.a) == kDouble) return set_floating(insn.a, to);
      return set(insn.a, {number(kDouble), b_.CreateBitCast(to, b_.getInt64Ty())});
    }
    case Intrinsic::same:
      return set(insn.a, pair(first));
  }
}

PredicateLowering::V PredicateLowering::has_affix(uint32_t first, bool at_end) {
  Pair text = pair(first);
  Pair affix = pair(first + 1);
  const Value* literal = known(first + 1);
  V size = size_of(text.meta);
  V affix_size = size_of(affix.meta);
  if (literal == nullptr) {
    charge(b_.CreateUDiv(affix_size, number(kBytesAStep)));
  } else if (literal->aux >= kBytesAStep) {
    charge(number(literal->aux / kBytesAStep));
  }
  if (literal != nullptr && literal->aux == 0) return b_.getTrue();
  auto same = [&]() -> V {
    V begin = b_.CreateIntToPtr(text.payload, b_.getPtrTy());
    if (at_end) begin = b_.CreateInBoundsGEP(b_.getInt8Ty(), begin, b_.CreateSub(size, affix_size));
    if (literal != nullptr && literal->aux <= kInlineBytes) return equal_bytes(begin, *literal);
    return call_helper("ordain_same_bytes", {begin, b_.CreateIntToPtr(affix.payload, b_.getPtrTy()), affix_size});
  };
  return guarded(b_.CreateICmpUGE(size, affix_size), same, [this]() -> V { return b_.getFalse(); });
}

PredicateLowering::V PredicateLowering::contains_text(uint32_t first) {
  Pair text = pair(first);
  Pair needle = pair(first + 1);
  const Value* literal = known(first + 1);
  V size = size_of(text.meta);
  V needle_size = size_of(needle.meta);
  if (literal == nullptr) {
    charge(call_helper("ordain_contains_cost", {size, needle_size}));
  } else if (literal->aux <= 1) {
    charge(b_.CreateUDiv(b_.CreateAdd(size, needle_size), number(kBytesAStep)));
  } else {
    // As in contains_cost: half the sum of both sizes, times the factor that does not depend on the
    // text.
    const uint64_t factor = contains_cost(literal->aux, literal->aux) / literal->aux;
    charge(b_.CreateMul(b_.CreateLShr(b_.CreateAdd(size, needle_size), 1), number(factor)));
  }
  if (literal != nullptr && literal->aux == 0) return b_.getTrue();
  return call_helper("ordain_contains", {b_.CreateIntToPtr(text.payload, b_.getPtrTy()), size,
                                         b_.CreateIntToPtr(needle.payload, b_.getPtrTy()), needle_size});
}

/// Tests an int in a constant list of ints. Of a dyn value only an int is tested in place, because
/// other numbers may also equal a member.
void PredicateLowering::in_constant_list(const Insn& insn, const Value& list) {
  std::vector<int64_t> members;
  for (const Value& element : list.as_list()) members.push_back(element.i);
  std::ranges::sort(members);
  members.erase(std::unique(members.begin(), members.end()), members.end());

  Pair needle = pair(insn.c);
  auto test = [&]() -> V {
    charge(size_of(pair(insn.c + 1).meta));
    return member_of(needle.payload, members);
  };
  if (kind(insn.c) == kInt) return set_boolean(insn.a, test());
  auto call = [&]() -> V {
    call_function(insn);
    return b_.CreateTrunc(b_.CreateLoad(b_.getInt64Ty(), result_payload()), b_.getInt1Ty());
  };
  set_boolean(insn.a, guarded(b_.CreateICmpEQ(kind_of(needle.meta), b_.getInt8(kInt)), test, call));
}

/// Tests whether a 64-bit number is in a set, which is sorted and not empty.
PredicateLowering::V PredicateLowering::member_of(V value, const std::vector<int64_t>& set) {
  const auto first = static_cast<uint64_t>(set.front());
  const uint64_t last_offset = static_cast<uint64_t>(set.back()) - first;
  V offset = b_.CreateSub(value, number(first));
  if (last_offset == set.size() - 1) return b_.CreateICmpULE(offset, number(last_offset));
  if (set.size() <= kChain) {
    V out = b_.getFalse();
    for (int64_t member : set) out = b_.CreateOr(out, b_.CreateICmpEQ(value, number(static_cast<uint64_t>(member))));
    return out;
  }
  if (last_offset < 64) {
    uint64_t mask = 0;
    for (int64_t member : set) mask |= uint64_t{1} << (static_cast<uint64_t>(member) - first);
    V bit = b_.CreateLShr(number(mask), b_.CreateAnd(offset, number(63)));
    return b_.CreateAnd(b_.CreateICmpULT(offset, number(64)), b_.CreateTrunc(bit, b_.getInt1Ty()));
  }
  if (last_offset / kBitsAMember < set.size()) return bit_of_table(offset, set);
  return set.size() <= kTree ? tree_of(value, set) : found_in_sorted(value, set);
}

PredicateLowering::V PredicateLowering::bit_of_table(V offset, const std::vector<int64_t>& set) {
  const auto first = static_cast<uint64_t>(set.front());
  const uint64_t span = static_cast<uint64_t>(set.back()) - first + 1;
  std::string bits(span / 8 + 1, '\0');
  for (int64_t member : set) {
    const uint64_t place = static_cast<uint64_t>(member) - first;
    bits[place / 8] |= static_cast<char>(1u << (place % 8));
  }
  // Values beyond the set read the bit after its last one, which is never set, so no branch is
  // needed.
  V place = b_.CreateSelect(b_.CreateICmpULT(offset, number(span)), offset, number(span));
  V byte = b_.CreateLoad(b_.getInt8Ty(), b_.CreateInBoundsGEP(b_.getInt8Ty(), m_.bytes(bits), b_.CreateLShr(place, 3)));
  V bit = b_.CreateLShr(byte, b_.CreateTrunc(b_.CreateAnd(place, 7), b_.getInt8Ty()));
  return b_.CreateTrunc(bit, b_.getInt1Ty());
}

/// Builds a switch, of which LLVM makes a balanced tree of comparisons.
PredicateLowering::V PredicateLowering::tree_of(V value, const std::vector<int64_t>& set) {
  Block here = b_.GetInsertBlock();
  Block done = new_block("");
  auto* choice = b_.CreateSwitch(value, done, static_cast<unsigned>(set.size()));
  Block found = new_block("");
  for (int64_t member : set) choice->addCase(b_.getInt64(static_cast<uint64_t>(member)), found);
  b_.SetInsertPoint(found);
  b_.CreateBr(done);
  b_.SetInsertPoint(done);
  auto* out = b_.CreatePHI(b_.getInt1Ty(), 2);
  out->addIncoming(b_.getFalse(), here);
  out->addIncoming(b_.getTrue(), found);
  return out;
}

PredicateLowering::V PredicateLowering::found_in_sorted(V value, const std::vector<int64_t>& set) {
  llvm::StringRef data(reinterpret_cast<const char*>(set.data()), set.size() * sizeof(int64_t));
  return call_helper("ordain_int_in", {m_.bytes(data), number(set.size()), value});
}

}  // namespace ordain::native
