// These tests cover the verifier: each one takes a valid program with one mistake, and expects the
// message that names it.
#include <gtest/gtest.h>

#include <functional>

#include "tests/support/assemble.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

using namespace ordain::test;

bool first_of(Eval&, const Value* args, Value* result) {
  *result = args[0];
  return true;
}

const FunctionTable& functions() {
  static const FunctionTable& table = *[] {
    auto* out = new FunctionTable();
    out->add({"inc", "inc_int", "(int) -> int", first_of, "Test."});
    out->add({"same", "same_any", "(A) -> A", first_of, "Test."});
    return out;
  }();
  return table;
}

std::string refusal(Assembler& a) {
  auto program = link_program(std::move(a.data), functions());
  if (program) return "";
  EXPECT_EQ(program.error().code, "bad_program");
  return program.error().message;
}

#define EXPECT_REFUSED(assembler, part)                                                 \
  do {                                                                                  \
    const std::string message = refusal(assembler);                                     \
    EXPECT_NE(message.find(part), std::string::npos) << "message: `" << message << "`"; \
    EXPECT_NE(message, "");                                                             \
  } while (false)

TEST(Verify, AcceptsAPredicate) {
  Assembler a;
  a.returns(Value::integer(1));
  EXPECT_EQ(refusal(a), "");
}

TEST(Verify, RefusesAnEmptyPredicate) {
  Assembler a;
  a.begin();
  EXPECT_REFUSED(a, "predicate 0: it has no code");
}

TEST(Verify, NamesPredicateAndPc) {
  Assembler a;
  a.returns(Value::integer(1));
  a.begin();
  const uint16_t r = a.reg(kInt);
  a.emit(Op::const_, r, a.constant(Value::integer(1)));
  a.emit(Op::ret, 7);
  EXPECT_REFUSED(a, "predicate 1: pc 1: ret: there is no register r7");
}

TEST(Verify, RefusesAnUnknownInstruction) {
  Assembler a;
  a.returns(Value::integer(1));
  a.insn(0).op = static_cast<Op>(kOpCount);
  EXPECT_REFUSED(a, "pc 0: there is no such instruction");
}

TEST(Verify, RefusesOperandsOutOfRange) {
  struct Case {
    Op op;
    uint32_t a, b, c;
    std::string_view part;
  };
  const Case cases[] = {
      {Op::const_, 0, 99, 0, "there is no such constant"},
      {Op::load, 0, 99, 0, "there is no such slot"},
      {Op::has_slot, 1, 99, 0, "there is no such slot"},
      {Op::slot_eq, 1, 0, 0, "there is no such symbol"},
      {Op::slot_eq, 1, 0, 2, "there is no such symbol"},
      {Op::slot_in, 1, 0, 1, "there is no such symbol set"},
      {Op::jump, 0, 99, 0, "it jumps out of the predicate"},
      {Op::clear_fault, 1, 0, 0, "there is no such fault register"},
      {Op::call, 0, 9, 0, "there is no such import"},
      {Op::call_prepared, 0, 9, 0, "there is no such prepared call"},
      {Op::call, 0, 0, 9, "its arguments are outside the registers"},
      {Op::fail, 0, kNone, 0, "there is no such fault"},
      {Op::fail, 999, kNone, 0, "there is no such fault"},
      {Op::fail, 1, 99, 0, "there is no such constant"},
  };
  for (const Case& c : cases) {
    Assembler a;
    Slot compared;
    compared.compared = true;
    a.slot("input.a", &types::kString, compared);
    a.symbol("x");
    a.data.symbol_sets = {{1}};
    a.import("inc", "inc_int", 1);
    a.begin();
    a.saved();
    const uint16_t r = a.reg(kAnyKind);
    a.reg(kBool);
    a.emit(c.op, c.a, c.b, c.c);
    a.emit(Op::const_, r, a.constant(Value::integer(1)));
    a.emit(Op::ret, r);
    EXPECT_REFUSED(a, c.part);
  }
}

TEST(Verify, RefusesKindsThatDoNotMatch) {
  const auto with = [](const std::function<void(Assembler&, uint16_t, uint16_t)>& body) {
    Assembler a;
    a.slot("input.text", &types::kString);
    a.import("inc", "inc_int", 1);
    a.import("same", "same_any", 1);
    a.import("inc", "", 1);
    a.begin();
    const uint16_t i = a.load_constant(Value::integer(1));
    const uint16_t s = a.load_constant(Value::string("x"));
    body(a, i, s);
    a.emit(Op::ret, i);
    return refusal(a);
  };
  const auto refused = [&](std::string_view part, const std::function<void(Assembler&, uint16_t, uint16_t)>& body) {
    const std::string message = with(body);
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  EXPECT_EQ(with([](Assembler& a, uint16_t i, uint16_t) { a.emit(Op::add_int, i, i, i); }), "");
  refused("add_int: register r1 is of the wrong kind",
          [](Assembler& a, uint16_t i, uint16_t s) { a.emit(Op::add_int, i, i, s); });
  refused("add_int: register r1 is of the wrong kind",
          [](Assembler& a, uint16_t i, uint16_t s) { a.emit(Op::add_int, s, i, i); });
  refused("of another kind", [](Assembler& a, uint16_t i, uint16_t s) { a.emit(Op::mov, i, s); });
  refused("of another kind", [](Assembler& a, uint16_t i, uint16_t) { a.emit(Op::load, i, 0); });
  refused("the slot has no symbol", [](Assembler& a, uint16_t, uint16_t) {
    a.symbol("x");
    a.emit(Op::slot_eq, a.reg(kBool), 0, 1);
  });
  refused("the slot has no such bit",
          [](Assembler& a, uint16_t, uint16_t) { a.emit(Op::slot_has, a.reg(kBool), 0, 0); });
  refused("argument 0 (r1) is of the wrong kind",
          [](Assembler& a, uint16_t i, uint16_t s) { a.emit(Op::call, i, 0, s); });
  refused("of another kind", [](Assembler& a, uint16_t i, uint16_t s) { a.emit(Op::call, s, 0, i); });
  refused("of another kind", [](Assembler& a, uint16_t i, uint16_t) { a.emit(Op::call, i, 1, i); });
  refused("the import is of the other sort", [](Assembler& a, uint16_t i, uint16_t) { a.emit(Op::call, i, 2, i); });
  refused("the import is of the other sort",
          [](Assembler& a, uint16_t i, uint16_t) { a.emit(Op::call_dynamic, i, 0, i); });
  refused("is not of kind any", [](Assembler& a, uint16_t i, uint16_t s) { a.emit(Op::index, i, s, i); });
  refused("the field's name is not a string", [](Assembler& a, uint16_t, uint16_t s) {
    a.emit(Op::select, a.reg(kAnyKind), s, a.constant(Value::integer(1)));
  });
  refused("r2 is of the wrong kind", [](Assembler& a, uint16_t i, uint16_t) {
    const uint16_t builder = a.reg(kBuilderKind);
    a.emit(Op::list_new, builder, 0);
    a.emit(Op::mov, i, builder);
  });
}

TEST(Verify, AnAnyRegisterTakesEveryKindAndGivesNone) {
  Assembler a;
  a.begin(kInt);
  const uint16_t i = a.load_constant(Value::integer(1));
  const uint16_t any = a.reg(kAnyKind);
  a.emit(Op::mov, any, i);
  a.emit(Op::unbox, i, any);
  a.emit(Op::ret, i);
  EXPECT_EQ(refusal(a), "");

  Assembler b;
  b.begin(kInt);
  const uint16_t from = b.reg(kAnyKind);
  b.emit(Op::const_, from, b.constant(Value::integer(1)));
  b.emit(Op::ret, from);
  EXPECT_REFUSED(b, "the result is of another kind");
}

TEST(Verify, RefusesCodeThatRunsPastItsEnd) {
  Assembler a;
  a.begin();
  a.load_constant(Value::integer(1));
  EXPECT_REFUSED(a, "its code runs past its end");
  Assembler b;
  b.begin();
  const uint16_t r = b.load_constant(Value::boolean(true));
  b.emit(Op::jump_if, r, 0);
  EXPECT_REFUSED(b, "its code runs past its end");
}

// if c: x = 1; return x
Assembler one_armed(bool assign_other_arm) {
  Assembler a;
  a.begin();
  const uint16_t c = a.load_constant(Value::boolean(true));
  const uint16_t x = a.reg(kInt);
  const uint32_t one = a.constant(Value::integer(1));
  if (assign_other_arm) a.emit(Op::const_, x, one);
  const uint32_t jump = a.emit(Op::jump_ifn, c);
  a.emit(Op::const_, x, one);
  a.land(jump);
  a.emit(Op::ret, x);
  return a;
}

TEST(Verify, DemandsAssignmentOnEveryPath) {
  Assembler good = one_armed(true);
  EXPECT_EQ(refusal(good), "");
  Assembler bad = one_armed(false);
  EXPECT_REFUSED(bad, "r1 may not be assigned");
}

TEST(Verify, DoesNotMindUnreachableCode) {
  Assembler a;
  a.begin();
  const uint16_t x = a.reg(kInt);
  a.emit(Op::fail, 1, kNone);
  a.emit(Op::ret, x);
  EXPECT_EQ(refusal(a), "");
}

// x is assigned before, within or after an instruction that may fault into a handler which reads it.
Assembler handled(bool before) {
  Assembler a;
  a.begin();
  const uint16_t i = a.load_constant(Value::integer(1));
  const uint16_t x = a.reg(kInt);
  const uint32_t one = a.constant(Value::integer(1));
  if (before) a.emit(Op::const_, x, one);
  const uint32_t begin = a.emit(Op::div_int, i, i, i);
  a.emit(Op::const_, x, one);
  a.emit(Op::div_int, i, i, i);
  const uint32_t end = a.pc();
  a.emit(Op::ret, i);
  a.handler(begin, end, a.pc());
  a.emit(Op::ret, x);
  return a;
}

TEST(Verify, FollowsFaultsIntoHandlers) {
  Assembler good = handled(true);
  EXPECT_EQ(refusal(good), "");
  Assembler bad = handled(false);
  EXPECT_REFUSED(bad, "pc 5: ret: r1 may not be assigned");
}

TEST(Verify, ADestinationThatFaultsIsNotAssignedByIt) {
  Assembler a;
  a.begin();
  const uint16_t i = a.load_constant(Value::integer(1));
  const uint16_t x = a.reg(kInt);
  const uint32_t begin = a.emit(Op::div_int, x, i, i);
  a.emit(Op::ret, x);
  a.handler(begin, begin + 1, a.pc());
  a.emit(Op::ret, x);
  EXPECT_REFUSED(a, "pc 3: ret: r1 may not be assigned");
}

TEST(Verify, RefusesHandlersOutsideThePredicate) {
  for (const Handler bad : {Handler{0, 0, 0}, Handler{1, 0, 0}, Handler{0, 9, 0}, Handler{0, 1, 9}}) {
    Assembler a;
    a.returns(Value::integer(1));
    a.handler(bad.begin, bad.end, bad.target);
    EXPECT_REFUSED(a, "handler 0 is outside the predicate");
  }
}

TEST(Verify, FaultRegistersAreClearedFirst) {
  Assembler a;
  a.begin();
  const uint32_t f = a.saved();
  const uint16_t i = a.load_constant(Value::integer(1));
  a.emit(Op::raise_saved, f);
  a.emit(Op::ret, i);
  EXPECT_REFUSED(a, "f0 may not be assigned");
}

// Engines keep the fault that led to a handler in different ways, so they agree on what is saved or
// raised only where there is one.
TEST(Verify, FaultsAreSavedAndRaisedOnlyWhereAFaultLed) {
  enum class Way { by_fault, from_the_start, by_jump, by_fall_through };
  const auto program = [](Op op, Way way) {
    Assembler a;
    const SlotId slot = a.slot("input.a", &types::kInt);
    a.begin();
    const uint32_t f = a.saved();
    const uint16_t i = a.reg(kInt);
    const uint16_t yes = a.load_constant(Value::boolean(true));
    const uint16_t one = a.load_constant(Value::integer(1));
    a.emit(Op::clear_fault, f);
    if (way == Way::from_the_start) a.emit(op, f);
    if (way == Way::by_jump) a.emit(Op::jump_if, yes, 7);
    const uint32_t may_fault = a.emit(Op::load, i, slot);
    if (way != Way::by_fall_through) a.emit(Op::ret, one);
    while (a.pc() < 7) a.emit(Op::const_, one, a.insn(1).b);
    const uint32_t target = a.pc();
    a.emit(op, f);
    if (op == Op::save_fault) a.emit(Op::raise_saved, f);
    a.emit(Op::ret, one);
    a.handler(may_fault, may_fault + 1, target);
    return refusal(a);
  };
  for (const Op op : {Op::save_fault, Op::raise_first}) {
    EXPECT_EQ(program(op, Way::by_fault), "");
    for (const Way way : {Way::from_the_start, Way::by_jump, Way::by_fall_through}) {
      const std::string message = program(op, way);
      EXPECT_NE(message.find("a fault need not have led here"), std::string::npos) << message;
    }
  }
}

TEST(Verify, AListBuilderIsNoMapBuilder) {
  const auto program = [](Op begin, Op end) {
    Assembler a;
    a.begin();
    const uint16_t builder = a.reg(kBuilderKind);
    const uint16_t out = a.reg(end == Op::list_done ? kList : kMap);
    a.emit(begin, builder, 0);
    a.emit(end, out, builder);
    a.emit(Op::ret, out);
    return refusal(a);
  };
  EXPECT_EQ(program(Op::list_new, Op::list_done), "");
  EXPECT_EQ(program(Op::map_new, Op::map_done), "");
  EXPECT_NE(program(Op::list_new, Op::map_done).find("r0 may not be assigned"), std::string::npos);
  EXPECT_NE(program(Op::map_new, Op::list_done).find("r0 may not be assigned"), std::string::npos);
}

TEST(Verify, ABuilderBegunAnewIsOfTheNewSortInHandlersToo) {
  Assembler a;
  a.begin();
  const uint16_t builder = a.reg(kBuilderKind);
  const uint16_t out = a.reg(kMap);
  const uint16_t list = a.reg(kList);
  a.emit(Op::map_new, builder, 0);
  const uint32_t begin = a.emit(Op::charge, 0, 1);
  a.emit(Op::list_new, builder, 0);
  a.emit(Op::charge, 0, 1);
  const uint32_t end = a.pc();
  a.emit(Op::list_done, list, builder);
  a.emit(Op::ret, list);
  a.handler(begin, end, a.pc());
  a.emit(Op::map_done, out, builder);
  a.emit(Op::ret, out);
  EXPECT_REFUSED(a, "map_done: r0 may not be assigned");
}

Assembler loop(uint32_t charge) {
  Assembler a;
  a.begin();
  const uint16_t i = a.load_constant(Value::integer(0));
  const uint16_t n = a.load_constant(Value::integer(9));
  const uint16_t more = a.reg(kBool);
  const uint32_t body = a.emit(Op::charge, 0, charge);
  a.emit(Op::inc, i);
  a.emit(Op::lt_int, more, i, n);
  a.emit(Op::jump_if, more, body);
  a.emit(Op::ret, i);
  return a;
}

TEST(Verify, EveryLoopSpendsBudget) {
  Assembler good = loop(1);
  EXPECT_EQ(refusal(good), "");
  Assembler bad = loop(0);
  EXPECT_REFUSED(bad, "a loop spends no budget");
  Assembler tight;
  tight.begin();
  tight.emit(Op::jump, 0, 0);
  EXPECT_REFUSED(tight, "a loop spends no budget");
}

TEST(Verify, AnExhaustedChargeCannotLoopThroughItsHandler) {
  Assembler a;
  a.begin();
  const uint32_t body = a.emit(Op::charge, 0, 1);
  a.emit(Op::jump, 0, body);
  a.handler(body, body + 1, body);
  EXPECT_REFUSED(a, "a loop spends no budget");
}

// As emit writes a && b && c ...: a block at the end saves each operand's fault and goes back to
// the next operand.
TEST(Verify, LongChainsOfHandlersSettle) {
  constexpr int kOperands = 2000;
  Assembler a;
  a.begin(kInt);
  const uint32_t f = a.saved();
  const uint16_t one = a.load_constant(Value::integer(1));
  const uint16_t out = a.reg(kInt);
  a.emit(Op::clear_fault, f);
  std::vector<uint32_t> begins;
  for (int i = 0; i < kOperands; ++i) begins.push_back(a.emit(Op::div_int, out, one, one));
  a.emit(Op::raise_saved, f);
  a.emit(Op::ret, one);
  for (const uint32_t begin : begins) {
    a.handler(begin, begin + 1, a.pc());
    a.emit(Op::save_fault, f);
    a.emit(Op::jump, 0, begin + 1);
  }
  EXPECT_EQ(refusal(a), "");
}

TEST(Verify, RefusesPredicatesThatOverlapOrLeaveCodeOver) {
  Assembler overlap;
  overlap.returns(Value::integer(1));
  overlap.data.predicates.push_back(overlap.data.predicates[0]);
  EXPECT_REFUSED(overlap, "its parts do not follow the predicate before");
  Assembler over;
  over.returns(Value::integer(1));
  over.data.code.push_back({Op::jump, 0, 0, 0});
  EXPECT_REFUSED(over, "code that belongs to no predicate");
  Assembler outside;
  outside.returns(Value::integer(1));
  outside.now().code.count = 1000;
  EXPECT_REFUSED(outside, "its parts do not follow the predicate before");
}

TEST(Verify, RefusesLocationsOutOfOrder) {
  Assembler a;
  a.faults(FaultCode::overflow, kBool, 3);
  a.data.insn_locations.push_back({0, 0});
  ++a.now().locations.count;
  EXPECT_REFUSED(a, "its locations are not sorted");
}

// Writes `recall r; const_ r; remember r; ret r`, spoiled by `spoil`.
std::string refusal_of_shared(const std::function<void(Assembler&)>& spoil) {
  Assembler a;
  a.data.shared_lets.push_back({"numbers", kInt});
  a.begin(kInt);
  const uint16_t number = a.reg(kInt);
  a.reg(kBool);
  const uint32_t constant = a.constant(Value::integer(1));
  a.emit(Op::recall, number, 3, 0);
  a.emit(Op::const_, number, constant);
  a.emit(Op::remember, number, 0);
  a.emit(Op::ret, number);
  spoil(a);
  return refusal(a);
}

TEST(Verify, SharedLetsKeepTheirKind) {
  const auto expect = [](const char* part, const std::function<void(Assembler&)>& spoil) {
    const std::string message = refusal_of_shared(spoil);
    EXPECT_NE(message.find(part), std::string::npos) << "message: `" << message << "`, expected: " << part;
  };
  EXPECT_EQ(refusal_of_shared([](Assembler&) {}), "");
  expect("there is no such let", [](Assembler& a) { a.insn(0).c = 1; });
  expect("there is no such let", [](Assembler& a) { a.insn(2).b = 1; });
  expect("register r1 is of another kind", [](Assembler& a) { a.insn(0).a = 1; });
  expect("register r0 is of another kind", [](Assembler& a) { a.data.shared_lets[0].kind = kAnyKind; });
  expect("the let is of another kind", [](Assembler& a) { a.insn(2).a = 1; });
  expect("is of no kind", [](Assembler& a) { a.data.shared_lets[0].kind = kBuilderKind; });
  expect("not UTF-8", [](Assembler& a) { a.data.shared_lets[0].name = "\xff"; });
  expect("too many shared lets", [](Assembler& a) { a.data.shared_lets.resize(kMaxSharedLets + 1, {"x", kInt}); });
  // Where recall does not jump, its register is as it was.
  expect("r0 may not be assigned", [](Assembler& a) { a.insn(1) = {Op::charge, 0, 1, 0}; });
  expect("a fault need not have led here", [](Assembler& a) { a.insn(1) = {Op::remember_fault, 0, 0, 0}; });
  expect("jumps out", [](Assembler& a) { a.insn(0).b = 4; });
  expect("spends no budget", [](Assembler& a) { a.insn(0).b = 0; });
}

// --- tables

struct TableCase {
  const char* part;
  std::function<void(Assembler&)> spoil;
};

TEST(Verify, RefusesBadTables) {
  const TableCase cases[] = {
      {"not UTF-8", [](Assembler& a) { a.symbol("\xff"); }},
      {"not UTF-8", [](Assembler& a) { a.symbol("\xed\xa0\x80"); }},
      {"not UTF-8", [](Assembler& a) { a.data.files.push_back("\xc0\x80"); }},
      {"symbol set is not sorted", [](Assembler& a) { a.data.symbol_sets = {{1, 1}}; }},
      {"symbol that is not there", [](Assembler& a) { a.data.symbol_sets = {{0}}; }},
      {"symbol that is not there", [](Assembler& a) { a.data.symbol_sets = {{3}}; }},
      {"its place is taken",
       [](Assembler& a) {
         a.slot("input.b", &types::kInt);
         a.data.schema.slots.back().index = 0;
       }},
      {"its place is outside its bank", [](Assembler& a) { a.data.schema.slots[0].index = 7; }},
      {"its place is outside its bank", [](Assembler& a) { a.data.schema.slots[0].bank = static_cast<Bank>(2); }},
      {"fewer slots", [](Assembler& a) { a.data.schema.slot_count[1] = 1'000'000'000; }},
      {"more membership bits", [](Assembler& a) { a.data.schema.bit_words[0] = 1'000'000'000; }},
      {"its type is not valid", [](Assembler& a) { a.data.schema.slots[0].type = &types::kError; }},
      {"its type is not valid", [](Assembler& a) { a.data.schema.slots[0].type = nullptr; }},
      {"only a list has membership bits", [](Assembler& a) { a.data.schema.slots[0].member_symbols = {1}; }},
      {"its membership bits are outside its bank", [](Assembler& a) { a.data.schema.slots[1].first_bit = 1; }},
      {"its membership bits are outside its bank", [](Assembler& a) { a.data.schema.slots[1].first_bit = 128; }},
      {"its membership bits are taken", [](Assembler& a) { a.data.schema.slots[1].first_bit = 64; }},
      {"two membership bits are of the same symbol",
       [](Assembler& a) { a.data.schema.slots[1].member_symbols = {1, 2, 1}; }},
      {"a membership bit is of a symbol that is not there",
       [](Assembler& a) { a.data.schema.slots[1].member_symbols = {3}; }},
      {"it has no built-in default",
       [](Assembler& a) {
         a.slot("input.b", &types::kInt);
         a.data.schema.slots.back().builtin = true;
       }},
      {"only a string can be compared",
       [](Assembler& a) {
         a.slot("input.b", &types::kInt);
         a.data.schema.slots.back().compared = true;
       }},
      {"its fields are not sorted",
       [](Assembler& a) {
         RecordBinding record{.name = "r", .dynamic = true};
         record.fields = {{.name = "b", .type = &types::kInt}, {.name = "a", .type = &types::kInt}};
         a.data.schema.records.push_back(record);
       }},
      {"its slot is of another type",
       [](Assembler& a) {
         RecordBinding record{.name = "r", .dynamic = true};
         record.fields = {{.name = "a", .type = &types::kInt, .slot = 0}};
         a.data.schema.records.push_back(record);
       }},
      {"nested too deeply",
       [](Assembler& a) {
         RecordBinding record{.name = "r", .dynamic = true};
         record.fields = {{.name = "a", .type = &types::kDyn, .record = 0}};
         a.data.schema.records.push_back(record);
       }},
      {"root's record is not there", [](Assembler& a) { a.data.schema.roots["agent"] = 0; }},
      {"it is there twice",
       [](Assembler& a) {
         a.capability("x");
         a.capability("x");
       }},
      {"its risk is not a number",
       [](Assembler& a) {
         a.capability("x");
         a.data.schema.capabilities[0].risk = -1;
       }},
      {"constant 1 is not valid", [](Assembler& a) { a.data.constants.push_back(Value::string("\xff")); }},
      {"constant 1 is not valid", [](Assembler& a) { a.data.constants.push_back(Value()); }},
      {"constant 1 is not valid", [](Assembler& a) { a.data.constants.push_back(Value::timestamp(0, -1)); }},
      {"constant 1 is not valid", [](Assembler& a) { a.data.constants.push_back(Value::timestamp(INT64_MAX, 0)); }},
      {"constant 1 is not valid", [](Assembler& a) { a.data.constants.push_back(Value::timestamp(INT64_MIN, 0)); }},
      {"constant 1 is not valid", [](Assembler& a) { a.data.constants.push_back(Value::duration(INT64_MAX, 0)); }},
      {"constant 1 is not valid", [](Assembler& a) { a.data.constants.push_back(Value::duration(1, -1)); }},
      {"too many arguments", [](Assembler& a) { a.import("inc", "", 1000); }},
      {"import `inc` is there twice",
       [](Assembler& a) {
         a.import("inc", "inc_int", 1);
         a.import("inc", "inc_int", 1);
       }},
      {"a prepared call is there twice",
       [](Assembler& a) {
         a.import("inc", "inc_int", 1);
         a.data.prepared = {{0, 0}, {0, 0}};
       }},
      {"prepared call's import", [](Assembler& a) { a.data.prepared.push_back({0, 0}); }},
      {"import of `inc_int` has 2 arguments", [](Assembler& a) { a.import("inc", "inc_int", 2); }},
      {"`inc` has no argument to prepare",
       [](Assembler& a) {
         a.import("inc", "inc_int", 1);
         a.data.prepared.push_back({0, 0});
       }},
  };
  for (const TableCase& c : cases) {
    Assembler a;
    a.slot("input.a", &types::kString);
    a.symbol("one");
    a.symbol("two");
    Slot members;
    members.member_symbols = {1, 2};
    a.slot("input.list", &types::kListString, members);
    a.slot("input.more", &types::kListString, members);
    a.returns(Value::integer(1));
    c.spoil(a);
    EXPECT_REFUSED(a, c.part);
  }
}

TEST(Verify, RefusesConstantsNestedTooDeeply) {
  Assembler a;
  Value nest = Value::integer(1);
  for (int i = 0; i < 300; ++i) nest = Value::list({a.data.memory.make<Value>(nest), 1});
  a.data.constants.push_back(nest);
  EXPECT_REFUSED(a, "constant 0 is not valid");
}

TEST(Verify, RefusesTypesThatAreHugeWrittenOut) {
  Assembler a;
  const Type* type = &types::kInt;
  for (int i = 0; i < 40; ++i) type = types::map_of(a.data.memory, type, type);
  a.slot("input.a", type);
  EXPECT_REFUSED(a, "its type is not valid");
}

TEST(Verify, RefusesBadRuleLists) {
  const TableCase cases[] = {
      {"its condition is not a predicate of kind bool", [](Assembler& a) { a.data.rule_codes[0].condition = 1; }},
      {"its condition is not a predicate", [](Assembler& a) { a.data.rule_codes[0].condition = 9; }},
      {"its `because` is not a string", [](Assembler& a) { a.data.rule_codes[0].because = 0; }},
      {"its `because` is not a string constant", [](Assembler& a) { a.data.rule_codes[0].because_text = 0; }},
      {"its `from` is not", [](Assembler& a) { a.data.rule_codes[0].from = 0; }},
      {"it counts groups", [](Assembler& a) { a.data.rule_codes[0].need = 1; }},
      {"it counts groups", [](Assembler& a) { a.data.rule_codes[0].distinct = false; }},
      {"its `expires` is not", [](Assembler& a) { a.data.rule_codes[0].expires = 0; }},
      {"its targets are not there", [](Assembler& a) { a.data.rule_codes[0].target_set = 0; }},
      {"a rule's code is of a rule that is not there", [](Assembler& a) { a.data.rule_codes[0].rule = 9; }},
      {"a redact, and only it, has a path", [](Assembler& a) { a.data.rules[0].redact_path = "input.a"; }},
      {"its kind or stage is not known", [](Assembler& a) { a.data.rules[0].kind = static_cast<RuleKind>(9); }},
      {"a rule has no name", [](Assembler& a) { a.data.rules[0].name = ""; }},
      {"a policy's version is not UTF-8", [](Assembler& a) { a.data.policy_versions = {{"p", "\xff"}}; }},
      {"a policy's version is not UTF-8", [](Assembler& a) { a.data.policy_versions = {{"\xff", "1"}}; }},
      {"the policies' versions are not sorted",
       [](Assembler& a) { a.data.policy_versions = {{"p", "1"}, {"o", "1"}}; }},
      {"the policies' versions are not sorted",
       [](Assembler& a) { a.data.policy_versions = {{"p", "1"}, {"p", "2"}}; }},
      {"a part of a condition is of code that is not there",
       [](Assembler& a) { a.data.condition_parts = {{.code = 9, .location = a.location(1)}}; }},
      {"a part of its condition is not a predicate of kind bool",
       [](Assembler& a) { a.data.condition_parts = {{.predicate = 1, .location = a.location(1)}}; }},
      {"a part of its condition is not a predicate of kind bool",
       [](Assembler& a) { a.data.condition_parts = {{.predicate = kNone, .location = a.location(1)}}; }},
      {"a part of its condition is out of order",
       [](Assembler& a) {
         const uint32_t at = a.location(1);
         a.data.condition_parts = {{.code = 1, .location = at}, {.code = 0, .location = at}};
       }},
      {"a part of its condition has no place", [](Assembler& a) { a.data.condition_parts = {{.location = 9}}; }},
      {"a part of its condition has no place",
       [](Assembler& a) { a.data.condition_parts = {{.location = a.location(1), .begin = 2, .end = 1}}; }},
      {"the rule list names code that is not there", [](Assembler& a) { a.data.rule_list[0] = 9; }},
      {"a range is outside the rule list",
       [](Assembler& a) { a.data.package_rules[0].deny.entries.count = 1'000'000; }},
      {"a range is outside the rule list",
       [](Assembler& a) { a.data.package_rules[0].deny.entries.first = UINT32_MAX; }},
      {"a rule is in the wrong list",
       [](Assembler& a) { std::swap(a.data.package_rules[0].deny, a.data.package_rules[0].allow); }},
      {"its rules are not in source order", [](Assembler& a) { std::swap(a.data.rule_list[0], a.data.rule_list[1]); }},
      {"its rules are not in source order", [](Assembler& a) { a.data.rule_list[1] = a.data.rule_list[0]; }},
      {"its budget is too large", [](Assembler& a) { a.data.packages[0].budget = 1'000'000'001; }},
      {"only a first_match package has answers",
       [](Assembler& a) { a.data.package_rules[0].answers = a.data.package_rules[0].deny; }},
      {"not one list of rules for each capability", [](Assembler& a) { a.data.capability_rules.pop_back(); }},
      {"its packages are not there", [](Assembler& a) { a.data.capability_rules[0].packages[0].count = 99; }},
      {"a rule is of the other stage",
       [](Assembler& a) { std::swap(a.data.capability_rules[0].packages[0], a.data.capability_rules[0].packages[1]); }},
      {"a rule's targets are not for it",
       [](Assembler& a) { std::swap(a.data.capability_rules[0], a.data.capability_rules[1]); }},
      {"its packages are not in order",
       [](Assembler& a) {
         a.data.package_rules[1].package = 0;
         a.data.capability_rules[0].packages[0] = {0, 2};
       }},
  };
  for (const TableCase& c : cases) {
    Assembler a;
    a.returns(Value::boolean(true));
    a.returns(Value::integer(1));
    a.capability("act");
    const uint32_t package = a.package("x");
    a.rule(package, RuleKind::deny, {.condition = 0});
    a.rule(package, RuleKind::deny, {.condition = 0});
    a.rule(package, RuleKind::allow);
    a.finish();
    c.spoil(a);
    EXPECT_REFUSED(a, c.part);
  }
}

// Adds an index over two rules: a symbol's node with two leaves behind it, and a leaf that is
// always visited.
void add_index(Assembler& a) {
  Slot slot;
  slot.path = "input.kind";
  slot.type = &types::kString;
  slot.bank = Bank::call;
  slot.compared = true;
  a.data.schema.slots.push_back(slot);
  a.data.schema.slot_count[1] = 1;
  a.data.symbols = {"a", "b"};
  a.data.index_nodes = {{.test = IndexTest::symbol, .slot = 0, .next = 3, .edges = {0, 2}},
                        {.edges = {0, 1}},
                        {.edges = {1, 1}},
                        {.edges = {2, 1}}};
  a.data.index_edges = {{1, 1}, {2, 2}};
  a.data.index_leaves = {{0, true}, {1, false}, {1, false}};
  a.data.package_rules[0].deny.nodes = {0, 4};
}

// Returns the refusal of a program with a capability that declares these secrets.
std::string refusal_of_secrets(std::vector<std::string> secrets) {
  static const RecordField kInner[] = {{"b", &types::kBytes}};
  static const RecordType kInnerRecord{"x.input.list[*]", false, kInner};
  static const Type kInnerType{TypeKind::record, {}, {}, &kInnerRecord};
  static const Type* const kListParams[] = {&kInnerType};
  static const Type kList{TypeKind::list, {}, kListParams, nullptr};
  static const RecordField kFields[] = {{"a", &types::kString}, {"list", &kList}, {"n", &types::kInt}};
  static const RecordType kRecord{"x.input", false, kFields};
  Assembler a;
  a.returns(Value::integer(1));
  a.capability("x");
  a.data.schema.records.push_back({.name = "input", .type = &kRecord});
  a.data.schema.capabilities[0].input = static_cast<uint32_t>(a.data.schema.records.size() - 1);
  a.data.schema.capabilities[0].secrets = std::move(secrets);
  return refusal(a);
}

// Returns the refusal of a program with a capability whose input has a field of this type.
std::string refusal_of_field(const Type& type) {
  const RecordField fields[] = {{"a", &type}};
  const RecordType record{"x.input", false, fields};
  Assembler a;
  a.returns(Value::integer(1));
  a.capability("x");
  a.data.schema.records.push_back({.name = "input", .type = &record});
  a.data.schema.capabilities[0].input = static_cast<uint32_t>(a.data.schema.records.size() - 1);
  return refusal(a);
}

TEST(Verify, LimitsAreOfTheKindOfTheirType) {
  const Value text[] = {Value::string("a")}, number[] = {Value::integer(1)}, real[] = {Value::floating(1)};
  TypeLimits texts, numbers, reals, range, half, size, nothing;
  texts.values = text;
  numbers.values = number;
  reals.values = real;
  range.least = Value::integer(1);
  range.most = Value::integer(9);
  half.most = Value::floating(0.5);
  size.max_size = 3;
  const auto limited = [](TypeKind kind, const TypeLimits& limits) {
    return refusal_of_field(Type{kind, {}, {}, nullptr, &limits});
  };
  EXPECT_EQ(limited(TypeKind::string, texts), "");
  EXPECT_EQ(limited(TypeKind::integer, numbers), "");
  EXPECT_EQ(limited(TypeKind::integer, range), "");
  EXPECT_EQ(limited(TypeKind::floating, half), "");
  EXPECT_EQ(limited(TypeKind::bytes, size), "");
  EXPECT_NE(limited(TypeKind::integer, texts), "");
  EXPECT_NE(limited(TypeKind::string, numbers), "");
  EXPECT_NE(limited(TypeKind::floating, reals), "");
  EXPECT_NE(limited(TypeKind::unsigned_integer, range), "");
  EXPECT_NE(limited(TypeKind::integer, half), "");
  EXPECT_NE(limited(TypeKind::string, range), "");
  EXPECT_NE(limited(TypeKind::integer, size), "");
  EXPECT_NE(limited(TypeKind::boolean, size), "");
  EXPECT_NE(limited(TypeKind::dyn, texts), "");
  EXPECT_NE(limited(TypeKind::string, nothing), "");
}

TEST(Verify, UnionsAreOfSingleValues) {
  const Type* const good[] = {&types::kString, &types::kInt};
  const Type* const deep[] = {&types::kString, &types::kListDyn};
  const Type* const one[] = {&types::kString};
  EXPECT_EQ(refusal_of_field(Type{TypeKind::dyn, {}, good, nullptr}), "");
  EXPECT_NE(refusal_of_field(Type{TypeKind::dyn, {}, deep, nullptr}), "");
  EXPECT_NE(refusal_of_field(Type{TypeKind::dyn, {}, one, nullptr}), "");
}

TEST(Verify, FollowsThePathsOfSecrets) {
  EXPECT_EQ(refusal_of_secrets({}), "");
  EXPECT_EQ(refusal_of_secrets({"input.a", "input.list[*].b"}), "");
  for (const char* path : {"", "input", "input.", "input.b", "input.n", "input.list", "input.list[*]", "input.list.b",
                           "input.a[*]", "input.a.b", "input[*]", "input.list[*]b", "output.a", "agent.a"}) {
    EXPECT_NE(refusal_of_secrets({path}).find("a secret is not a string of its declaration"), std::string::npos)
        << path;
  }
  EXPECT_NE(refusal_of_secrets({"input.list[*].b", "input.a"}).find("its secrets are not sorted"), std::string::npos);
  EXPECT_NE(refusal_of_secrets({"input.a", "input.a"}).find("its secrets are not sorted"), std::string::npos);
}

// Leaves the first node with the test and without an edge, and the other nodes behind its `next`.
void leave_without_edges(Assembler& a, IndexTest test, const Type* type) {
  Slot& slot = a.data.schema.slots[0];
  slot.type = type;
  slot.compared = test == IndexTest::symbol;
  if (test == IndexTest::member) {
    slot.member_symbols = {1};
    a.data.schema.bit_words[1] = 1;
  }
  IndexNode& node = a.data.index_nodes[0];
  node.test = test;
  node.edges = {0, 0};
  a.data.index_edges.clear();
}

TEST(Verify, EveryNumberIsAKeyOfANumbersNode) {
  for (const uint64_t key : {uint64_t{0}, uint64_t{1} << 63, UINT64_MAX - 1, UINT64_MAX}) {
    Assembler a;
    a.returns(Value::boolean(true));
    a.capability("act");
    a.rule(a.package("x"), RuleKind::deny, {.condition = 0});
    a.finish();
    a.slot("input.n", &types::kInt, {.bank = Bank::call});
    a.data.index_nodes = {{.test = IndexTest::number, .slot = 0, .edges = {0, 1}}, {.edges = {0, 1}}};
    a.data.index_edges = {{key, 1}};
    a.data.index_leaves = {{0, true}};
    a.data.package_rules[0].deny.nodes = {0, 2};
    EXPECT_EQ(refusal(a), "") << key;
  }
}

TEST(Verify, Indexes) {
  using Nodes = std::vector<IndexNode>;
  const TableCase cases[] = {
      {"an unknown test", [](Assembler& a) { a.data.index_nodes[1].test = static_cast<IndexTest>(kIndexTests); }},
      {"a leaf has no slot", [](Assembler& a) { a.data.index_nodes[1].slot = 0; }},
      {"its slot is not there", [](Assembler& a) { a.data.index_nodes[0].slot = 1; }},
      {"its slot has no symbol", [](Assembler& a) { a.data.schema.slots[0].compared = false; }},
      {"its slot is not of a number", [](Assembler& a) { a.data.index_nodes[0].test = IndexTest::number; }},
      {"its slot has no order", [](Assembler& a) { a.data.index_nodes[0].test = IndexTest::threshold; }},
      {"an edge's key is out of range", [](Assembler& a) { a.data.index_nodes[0].test = IndexTest::member; }},
      {"an edge's key is out of range", [](Assembler& a) { a.data.index_edges[1].key = 3; }},
      {"its test leads nowhere", [](Assembler& a) { leave_without_edges(a, IndexTest::symbol, &types::kString); }},
      {"its test leads nowhere", [](Assembler& a) { leave_without_edges(a, IndexTest::number, &types::kInt); }},
      {"its test leads nowhere", [](Assembler& a) { leave_without_edges(a, IndexTest::member, &types::kListString); }},
      {"its test leads nowhere", [](Assembler& a) { leave_without_edges(a, IndexTest::threshold, &types::kInt); }},
      {"its test leads nowhere", [](Assembler& a) { leave_without_edges(a, IndexTest::present, &types::kInt); }},
      {"its test leads nowhere", [](Assembler& a) { leave_without_edges(a, IndexTest::text, &types::kString); }},
      {"its test leads nowhere", [](Assembler& a) { leave_without_edges(a, IndexTest::network, &types::kString); }},
      {"its test leads nowhere", [](Assembler& a) { leave_without_edges(a, IndexTest::interval, &types::kInt); }},
      {"its slot has no order", [](Assembler& a) { a.data.index_nodes[0].test = IndexTest::interval; }},
      {"an edge's key is not a range of addresses",
       [](Assembler& a) {
         a.data.index_nodes[0].test = IndexTest::network;
         a.data.constants.resize(3, Value::integer(1));
       }},
      {"an edge's key is out of range",
       [](Assembler& a) {
         a.data.index_nodes[0].test = IndexTest::network;
         a.data.index_edges[1].key = a.data.constants.size();
         a.data.index_edges[0].key = a.data.constants.size() + 1;
         std::swap(a.data.index_edges[0].key, a.data.index_edges[1].key);
       }},
      {"its slot is not of a text",
       [](Assembler& a) {
         a.data.schema.slots[0].compared = false;
         a.data.schema.slots[0].type = &types::kInt;
         a.data.index_nodes[0].test = IndexTest::network;
       }},
      {"an edge's key is out of range", [](Assembler& a) { a.data.index_nodes[0].test = IndexTest::present; }},
      {"an edge's key is out of range", [](Assembler& a) { a.data.index_nodes[0].test = IndexTest::text; }},
      {"its slot is not of a text",
       [](Assembler& a) {
         a.data.schema.slots[0].compared = false;
         a.data.schema.slots[0].type = &types::kInt;
         a.data.index_nodes[0].test = IndexTest::text;
       }},
      {"its edges are not in order",
       [](Assembler& a) { std::swap(a.data.index_edges[0].key, a.data.index_edges[1].key); }},
      {"an edge does not lead to a later node", [](Assembler& a) { a.data.index_edges[0].node = 0; }},
      {"an edge does not lead to a later node", [](Assembler& a) { a.data.index_edges[0].node = 4; }},
      {"the next node is not a later one", [](Assembler& a) { a.data.index_nodes[0].next = 0; }},
      {"edges do not follow", [](Assembler& a) { a.data.index_nodes[0].edges.first = 1; }},
      {"there are edges of no node", [](Assembler& a) { a.data.index_edges.push_back({9, 3}); }},
      {"a leaf is of another range", [](Assembler& a) { a.data.index_leaves[2].entry = 2; }},
      {"a node leads out of its range", [](Assembler& a) { a.data.package_rules[0].deny.nodes = {0, 3}; }},
      {"its nodes are not there", [](Assembler& a) { a.data.package_rules[0].deny.nodes = {2, 3}; }},
      {"not one note for each entry", [](Assembler& a) { a.data.index_notes.pop_back(); }},
      {"a note of the rule list is not known", [](Assembler& a) { a.data.index_notes[0] = static_cast<IndexNote>(9); }},
      {"a literal of the index is not a string", [](Assembler& a) { a.data.index_literals.push_back({99}); }},
      {"the way to a leaf is too long",
       [](Assembler& a) {
         a.data.index_edges.clear();
         Nodes nodes;
         for (uint32_t i = 0; i < 70; ++i) {
           nodes.push_back({.test = IndexTest::symbol, .slot = 0, .edges = {i, 1}});
           a.data.index_edges.push_back({1, i + 1});
         }
         nodes.push_back({.edges = {0, 3}});
         a.data.index_nodes = nodes;
         a.data.package_rules[0].deny.nodes = {0, 71};
       }},
      // Both the edge and `next` of every node lead to the following node: 2^n visits for n nodes.
      {"walking it takes too long",
       [](Assembler& a) {
         a.data.index_edges.clear();
         Nodes nodes;
         for (uint32_t i = 0; i < 40; ++i) {
           nodes.push_back({.test = IndexTest::symbol, .slot = 0, .next = i + 1, .edges = {i, 1}});
           a.data.index_edges.push_back({1, i + 1});
         }
         nodes.push_back({.edges = {0, 3}});
         a.data.index_nodes = nodes;
         a.data.package_rules[0].deny.nodes = {0, 41};
       }},
  };
  const auto make = [](Assembler& a) {
    a.returns(Value::boolean(true));
    a.capability("act");
    const uint32_t package = a.package("x");
    a.rule(package, RuleKind::deny, {.condition = 0});
    a.rule(package, RuleKind::deny, {.condition = 0});
    a.rule(package, RuleKind::allow);
    a.finish();
    add_index(a);
  };
  Assembler good;
  make(good);
  EXPECT_EQ(refusal(good), "");
  for (const TableCase& c : cases) {
    Assembler a;
    make(a);
    c.spoil(a);
    EXPECT_REFUSED(a, c.part);
  }
}

TEST(Verify, ManyOverlappingPlansAreCheckedQuickly) {
  Assembler a;
  a.capability("act");
  const uint32_t package = a.package("x");
  for (int i = 0; i < 2000; ++i) a.rule(package, RuleKind::deny);
  a.finish();
  const PackageRules plan = a.data.package_rules[0];
  for (int i = 0; i < 50'000; ++i) a.data.package_rules.push_back(plan);
  EXPECT_EQ(refusal(a), "");
}

}  // namespace
}  // namespace ordain
