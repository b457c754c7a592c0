// These tests cover the interpreter: what each instruction computes, first at its limits, and where
// faults go.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/assemble.h"
#include "vm/interpret/frame.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

using namespace ordain::test;

bool twice(Eval&, const Value* args, Value* result) {
  *result = Value::integer(2 * args[0].i);
  return true;
}
bool join(Eval& eval, const Value* args, Value* result) {
  return eval.make_string(std::string(args[0].as_text()) + std::string(args[1].as_text()), result);
}
// Breaks the contract of functions: it fails without a reason, and after writing a result.
bool silent(Eval&, const Value*, Value* result) {
  *result = Value::string("garbage");
  return false;
}
bool refuse_argument(Eval& eval, const Value*, Value*) { return eval.fail(FaultCode::invalid_argument, "no good"); }

std::shared_ptr<const void> prepare_number(const Value& arg, std::string* error) {
  if (arg.i < 0) {
    *error = "negative";
    return nullptr;
  }
  return std::make_shared<int64_t>(arg.i * 100);
}
bool call_prepared_number(Eval&, const void* prepared, const Value* args, Value* result) {
  *result = Value::integer(*static_cast<const int64_t*>(prepared) + args[0].i);
  return true;
}

const FunctionTable& functions() {
  static const FunctionTable& table = *[] {
    auto* out = new FunctionTable();
    out->add({"twice", "twice_int", "(int) -> int", twice, "Test.", [](const Value*) -> uint64_t { return 10; }});
    out->add({"join", "join_string", "(string, string) -> string", join, "Test."});
    out->add({"silent", "silent_any", "(dyn) -> dyn", silent, "Test."});
    out->add({"refuse", "refuse_any", "(dyn) -> dyn", refuse_argument, "Test."});
    Overload prepared{"near", "near_int", "(int, int) -> int", twice, "Test."};
    prepared.preparation = {.arg = 1, .prepare = prepare_number, .call = call_prepared_number};
    out->add(prepared);
    return out;
  }();
  return table;
}

std::shared_ptr<const Program> link(Assembler& a) {
  auto program = link_program(std::move(a.data), functions());
  EXPECT_TRUE(program.ok()) << program.error().message;
  return program ? *program : nullptr;
}

struct Outcome {
  bool ok = false;
  Value value;
  FaultCode fault = FaultCode::none;
  uint32_t line = 0;
};

Outcome run(Assembler& a, const DecideOptions& options = {}) {
  auto program = link(a);
  if (program == nullptr) return {};
  Fixture f(program);
  Outcome out;
  out.ok = f.evaluate(0, options);
  out.value = f.value;
  out.fault = f.fault.code;
  if (f.fault.location != kNone) out.line = program->locations()[f.fault.location].line;
  return out;
}

// Evaluates `op` of two constants.
Outcome binary(Op op, uint8_t result, const Value& left, const Value& right) {
  Assembler a;
  a.begin(result);
  const uint16_t b = a.load_constant(left);
  const uint16_t c = a.load_constant(right);
  const uint16_t out = a.reg(result);
  a.emit(op, out, b, c, 7);
  a.emit(Op::ret, out);
  return run(a);
}

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(Interpret, IntArithmetic) {
  const auto ok = [](Op op, int64_t x, int64_t y, int64_t expected) {
    const Outcome out = binary(op, kInt, Value::integer(x), Value::integer(y));
    EXPECT_TRUE(out.ok);
    EXPECT_EQ(out.value.i, expected) << op_info(op).name << " " << x << " " << y;
    EXPECT_EQ(out.value.kind, Kind::integer);
  };
  const auto fault = [](Op op, int64_t x, int64_t y, FaultCode expected) {
    const Outcome out = binary(op, kInt, Value::integer(x), Value::integer(y));
    EXPECT_FALSE(out.ok);
    EXPECT_EQ(out.fault, expected) << op_info(op).name << " " << x << " " << y;
    EXPECT_EQ(out.line, 7u);
  };
  ok(Op::add_int, kMax, kMin, -1);
  fault(Op::add_int, kMax, 1, FaultCode::overflow);
  fault(Op::add_int, kMin, -1, FaultCode::overflow);
  ok(Op::sub_int, -1, kMax, kMin);
  fault(Op::sub_int, 0, kMin, FaultCode::overflow);
  ok(Op::mul_int, kMin, 1, kMin);
  fault(Op::mul_int, kMin, -1, FaultCode::overflow);
  ok(Op::div_int, -7, 2, -3);
  fault(Op::div_int, 1, 0, FaultCode::division_by_zero);
  fault(Op::div_int, kMin, -1, FaultCode::overflow);
  ok(Op::mod_int, -7, 2, -1);
  ok(Op::mod_int, 7, -2, 1);
  fault(Op::mod_int, 1, 0, FaultCode::modulus_by_zero);
  fault(Op::mod_int, kMin, -1, FaultCode::overflow);
}

TEST(Interpret, Negation) {
  const auto negate = [](Op op, const Value& value) {
    Assembler a;
    a.begin();
    const uint16_t b = a.load_constant(value);
    a.emit(op, b, b, 0, 3);
    a.emit(Op::ret, b);
    return run(a);
  };
  EXPECT_EQ(negate(Op::neg_int, Value::integer(5)).value.i, -5);
  EXPECT_EQ(negate(Op::neg_int, Value::integer(kMin)).fault, FaultCode::overflow);
  const Outcome zero = negate(Op::neg_double, Value::floating(0.0));
  EXPECT_TRUE(std::signbit(zero.value.d));
}

TEST(Interpret, UintArithmetic) {
  const auto value = [](Op op, uint64_t x, uint64_t y) {
    return binary(op, kUint, Value::unsigned_integer(x), Value::unsigned_integer(y));
  };
  EXPECT_EQ(value(Op::add_uint, UINT64_MAX, 0).value.u, UINT64_MAX);
  EXPECT_EQ(value(Op::add_uint, UINT64_MAX, 1).fault, FaultCode::overflow);
  EXPECT_EQ(value(Op::sub_uint, 1, 2).fault, FaultCode::overflow);
  EXPECT_EQ(value(Op::mul_uint, uint64_t{1} << 32, uint64_t{1} << 32).fault, FaultCode::overflow);
  EXPECT_EQ(value(Op::div_uint, UINT64_MAX, 2).value.u, UINT64_MAX / 2);
  EXPECT_EQ(value(Op::div_uint, 1, 0).fault, FaultCode::division_by_zero);
  EXPECT_EQ(value(Op::mod_uint, 1, 0).fault, FaultCode::modulus_by_zero);
  EXPECT_EQ(value(Op::mod_uint, 7, 4).value.u, 3u);
}

TEST(Interpret, DoubleArithmeticNeverFaults) {
  const Outcome infinite = binary(Op::div_double, kDouble, Value::floating(1), Value::floating(0));
  EXPECT_TRUE(infinite.ok);
  EXPECT_TRUE(std::isinf(infinite.value.d));
  EXPECT_TRUE(std::isnan(binary(Op::div_double, kDouble, Value::floating(0), Value::floating(0)).value.d));
}

TEST(Interpret, Comparisons) {
  const auto holds = [](Op op, const Value& x, const Value& y) { return binary(op, kBool, x, y).value.as_bool(); };
  const Value nan = Value::floating(std::nan(""));
  EXPECT_FALSE(holds(Op::eq_double, nan, nan));
  EXPECT_FALSE(holds(Op::lt_double, nan, Value::floating(1)));
  EXPECT_FALSE(holds(Op::le_double, nan, nan));
  EXPECT_TRUE(holds(Op::eq_double, Value::floating(0.0), Value::floating(-0.0)));
  EXPECT_TRUE(holds(Op::lt_int, Value::integer(kMin), Value::integer(kMax)));
  EXPECT_FALSE(holds(Op::lt_uint, Value::unsigned_integer(UINT64_MAX), Value::unsigned_integer(0)));
  EXPECT_TRUE(holds(Op::le_uint, Value::unsigned_integer(3), Value::unsigned_integer(3)));
  EXPECT_TRUE(holds(Op::lt_string, Value::string("a"), Value::string("aa")));
  EXPECT_TRUE(holds(Op::lt_string, Value::string("z"), Value::string("\xc3\xa9")));
  EXPECT_TRUE(holds(Op::le_string, Value::string(""), Value::string("")));
  EXPECT_TRUE(holds(Op::eq_string, Value::string("a"), Value::string("a")));
  EXPECT_FALSE(holds(Op::eq_string, Value::string("a"), Value::string("b")));
  EXPECT_TRUE(holds(Op::eq_any, Value::integer(1), Value::floating(1.0)));
  EXPECT_FALSE(holds(Op::eq_any, Value::integer(1), Value::string("1")));
  EXPECT_TRUE(holds(Op::eq_bool, Value::boolean(false), Value::boolean(false)));
}

TEST(Interpret, UnboxGivesOnlyItsKind) {
  const auto unbox = [](const Value& value) {
    Assembler a;
    a.begin(kInt);
    const uint16_t from = a.load_constant(value);
    const uint16_t out = a.reg(kInt);
    a.emit(Op::unbox, out, from, 0, 5);
    a.emit(Op::ret, out);
    return run(a);
  };
  EXPECT_EQ(unbox(Value::integer(4)).value.i, 4);
  EXPECT_EQ(unbox(Value::unsigned_integer(4)).fault, FaultCode::no_such_overload);
  EXPECT_EQ(unbox(Value::unsigned_integer(4)).line, 5u);
}

// --- slots

TEST(Interpret, SlotsPresentAndAbsent) {
  Assembler a;
  Slot builtin;
  builtin.builtin = true;
  Slot host;
  host.host = true;
  a.slot("input.amount", &types::kInt);
  a.slot("agent.clearance", &types::kInt, host);
  a.slot("agent.id", &types::kString, builtin);
  a.slot("agent.roles", &types::kListString, builtin);
  const uint32_t amount = a.reads(0, kInt, 2), clearance = a.reads(1, kInt, 3);
  const uint32_t id = a.reads(2, kString), roles = a.reads(3, kList);
  const uint32_t has = a.begin(kBool);
  const uint16_t out = a.reg(kBool);
  a.emit(Op::has_slot, out, 0);
  a.emit(Op::ret, out);
  const uint32_t maybe = a.begin(kOptional);
  const uint16_t optional = a.reg(kOptional);
  a.emit(Op::load_optional, optional, 0);
  a.emit(Op::ret, optional);

  Fixture f(link(a));
  EXPECT_FALSE(f.evaluate(amount));
  EXPECT_EQ(f.fault.code, FaultCode::no_such_field);
  EXPECT_EQ(f.fault.detail.as_text(), "amount");
  EXPECT_FALSE(f.evaluate(clearance));
  EXPECT_EQ(f.fault.code, FaultCode::missing_context);
  EXPECT_EQ(f.fault.detail.as_text(), "agent.clearance");
  EXPECT_EQ(f.program->locations()[f.fault.location].line, 3u);
  ASSERT_TRUE(f.evaluate(id));
  EXPECT_EQ(f.value.as_text(), "");
  ASSERT_TRUE(f.evaluate(roles));
  EXPECT_EQ(f.value.aux, 0u);
  ASSERT_TRUE(f.evaluate(has));
  EXPECT_FALSE(f.value.as_bool());
  ASSERT_TRUE(f.evaluate(maybe));
  EXPECT_EQ(f.value.items, nullptr);

  f.call.set(f.call.program().slot(0), Value::integer(12));
  ASSERT_TRUE(f.evaluate(amount));
  EXPECT_EQ(f.value.i, 12);
  ASSERT_TRUE(f.evaluate(has));
  EXPECT_TRUE(f.value.as_bool());
  ASSERT_TRUE(f.evaluate(maybe));
  ASSERT_NE(f.value.items, nullptr);
  EXPECT_EQ(f.value.items->i, 12);
}

TEST(Interpret, SlotTestsCompareSymbols) {
  Assembler a;
  Slot compared;
  compared.compared = true;
  Slot builtin = compared;
  builtin.builtin = true;
  Slot members;
  const SymbolId red = a.symbol("red"), blue = a.symbol("blue"), empty = a.symbol("");
  members.member_symbols = {blue, red};
  a.slot("input.colour", &types::kString, compared);
  a.slot("agent.id", &types::kString, builtin);
  a.slot("input.tags", &types::kListString);
  a.slot("input.more_tags", &types::kListString, members);
  a.data.symbol_sets = {{red, empty}};
  const auto test = [&](Op op, SlotId slot, uint32_t operand) {
    const uint32_t p = a.begin(kBool);
    const uint16_t out = a.reg(kBool);
    a.emit(op, out, slot, operand, 1);
    a.emit(Op::ret, out);
    return p;
  };
  const uint32_t is_red = test(Op::slot_eq, 0, red), in_set = test(Op::slot_in, 0, 0);
  const uint32_t id_red = test(Op::slot_eq, 1, red), id_empty = test(Op::slot_eq, 1, empty),
                 id_in = test(Op::slot_in, 1, 0);
  const uint32_t first = a.data.schema.slots[3].first_bit;
  const uint32_t has_red = test(Op::slot_has, 3, first + 1), has_blue = test(Op::slot_has, 3, first);

  Fixture f(link(a));
  const auto truth = [&](uint32_t p) {
    EXPECT_TRUE(f.evaluate(p));
    return f.value.as_bool();
  };
  EXPECT_FALSE(f.evaluate(is_red));
  EXPECT_EQ(f.fault.code, FaultCode::no_such_field);
  EXPECT_FALSE(f.evaluate(in_set));
  EXPECT_FALSE(f.evaluate(has_red));
  EXPECT_FALSE(truth(id_red));
  EXPECT_TRUE(truth(id_empty));
  EXPECT_TRUE(truth(id_in));

  f.call.set(f.call.program().slot(0), Value::string("red"));
  EXPECT_TRUE(truth(is_red));
  EXPECT_TRUE(truth(in_set));
  f.call.set(f.call.program().slot(0), Value::string("blue"));
  EXPECT_FALSE(truth(is_red));
  EXPECT_FALSE(truth(in_set));
  f.call.set(f.call.program().slot(0), Value::string("no literal of the program"));
  EXPECT_FALSE(truth(is_red));
  f.call.set(f.call.program().slot(1), Value::string("red"));
  EXPECT_TRUE(truth(id_red));
  EXPECT_FALSE(truth(id_empty));
  const Value tags[] = {Value::string("red"), Value::string("green")};
  f.call.set(f.call.program().slot(3), Value::list(tags));
  EXPECT_TRUE(truth(has_red));
  EXPECT_FALSE(truth(has_blue));
}

// --- control and faults

TEST(Interpret, LoopsRunAndRunOutOfBudget) {
  const auto sum = [](uint64_t budget) {
    Assembler a;
    a.begin(kInt);
    const uint16_t i = a.load_constant(Value::integer(0));
    const uint16_t n = a.load_constant(Value::integer(10));
    const uint16_t total = a.load_constant(Value::integer(0));
    const uint16_t more = a.reg(kBool);
    const uint32_t body = a.emit(Op::charge, 0, 5, 0, 9);
    a.emit(Op::add_int, total, total, i);
    a.emit(Op::inc, i);
    a.emit(Op::lt_int, more, i, n);
    a.emit(Op::jump_if, more, body);
    a.emit(Op::ret, total);
    DecideOptions options;
    options.budget.cost = budget;
    return run(a, options);
  };
  EXPECT_EQ(sum(50).value.i, 45);
  EXPECT_EQ(sum(49).fault, FaultCode::cost_budget);
  EXPECT_EQ(sum(49).line, 9u);
}

// Runs `const i; const 3; add_int; const 7; eq_int; jump_if L; const false; ret; L: const true;
// ret` from the start, or from inside the instructions that run as one: `jump` leads to the
// constant 3 or to the addition, with i already in its register.
Outcome adds_up_to_seven(int64_t i, uint32_t skipped) {
  Assembler a;
  a.begin(kBool);
  const uint16_t x = a.load_constant(Value::integer(i));
  const uint16_t three = a.load_constant(Value::integer(3));
  const uint16_t sum = a.reg(kInt), seven = a.reg(kInt), same = a.reg(kBool);
  const uint32_t start = 3;
  a.emit(Op::jump, 0, start + skipped);
  a.emit(Op::const_, x, a.constant(Value::integer(i)));
  a.emit(Op::const_, three, a.constant(Value::integer(3)));
  a.emit(Op::add_int, sum, x, three, 9);
  a.emit(Op::const_, seven, a.constant(Value::integer(7)));
  a.emit(Op::eq_int, same, sum, seven);
  a.emit(Op::jump_if, same, start + 8);
  a.emit(Op::const_, same, a.constant(Value::boolean(false)));
  a.emit(Op::ret, same);
  a.emit(Op::const_, same, a.constant(Value::boolean(true)));
  a.emit(Op::ret, same);
  return run(a);
}

TEST(Interpret, JumpsLeadIntoTheMidstOfWhatIsRunAsOne) {
  for (const uint32_t skipped : {0u, 1u, 2u}) {
    EXPECT_TRUE(adds_up_to_seven(4, skipped).value.as_bool()) << skipped;
    EXPECT_FALSE(adds_up_to_seven(5, skipped).value.as_bool()) << skipped;
    const Outcome overflown = adds_up_to_seven(INT64_MAX, skipped);
    EXPECT_EQ(overflown.fault, FaultCode::overflow) << skipped;
    EXPECT_EQ(overflown.line, 9u) << skipped;
  }
}

// Evaluates a && b where a faults, as emit writes it: false if b is false, otherwise a's fault.
Outcome and_after_fault(bool b) {
  Assembler a;
  a.begin(kBool);
  const uint32_t f = a.saved();
  const uint16_t zero = a.load_constant(Value::integer(0));
  const uint16_t left = a.reg(kInt);
  const uint16_t right = a.load_constant(Value::boolean(b));
  const uint16_t no = a.load_constant(Value::boolean(false));
  a.emit(Op::clear_fault, f);
  const uint32_t begin = a.emit(Op::div_int, left, zero, zero, 4);
  const uint32_t after = a.pc();
  const uint32_t stop = a.emit(Op::jump_ifn, right);
  a.emit(Op::raise_saved, f, 0, 0, 8);
  a.emit(Op::ret, right);
  a.land(stop);
  a.emit(Op::ret, no);
  a.handler(begin, begin + 1, a.pc());
  a.emit(Op::save_fault, f);
  a.emit(Op::jump, 0, after);
  return run(a);
}

TEST(Interpret, SavedFaultsAreAbsorbedOrRaisedWhereTheyWere) {
  const Outcome absorbed = and_after_fault(false);
  EXPECT_TRUE(absorbed.ok);
  EXPECT_FALSE(absorbed.value.as_bool());
  const Outcome raised = and_after_fault(true);
  EXPECT_FALSE(raised.ok);
  EXPECT_EQ(raised.fault, FaultCode::division_by_zero);
  EXPECT_EQ(raised.line, 4u);
}

TEST(Interpret, TheFirstSavedFaultStays) {
  Assembler a;
  a.begin(kBool);
  const uint32_t f = a.saved();
  const uint16_t zero = a.load_constant(Value::integer(0));
  a.emit(Op::clear_fault, f);
  const uint32_t first = a.emit(Op::div_int, zero, zero, zero, 1);
  const uint32_t second = a.emit(Op::mod_int, zero, zero, zero, 2);
  const uint32_t end = a.pc();
  a.emit(Op::fail, static_cast<uint32_t>(FaultCode::overflow), kNone, 0, 3);
  a.handler(first, first + 1, a.pc());
  a.emit(Op::save_fault, f);
  a.emit(Op::jump, 0, second);
  a.handler(second, end, a.pc());
  a.emit(Op::raise_first, f, 0, 0, 4);
  const Outcome out = run(a);
  EXPECT_EQ(out.fault, FaultCode::division_by_zero);
  EXPECT_EQ(out.line, 1u);
}

TEST(Interpret, RaiseFirstGivesTheHandlersFaultWhenNoneIsSaved) {
  Assembler a;
  a.begin(kBool);
  const uint32_t f = a.saved();
  const uint16_t zero = a.load_constant(Value::integer(0));
  a.emit(Op::clear_fault, f);
  const uint32_t at = a.emit(Op::mod_int, zero, zero, zero, 2);
  a.emit(Op::fail, static_cast<uint32_t>(FaultCode::overflow), kNone, 0, 3);
  a.handler(at, at + 1, a.pc());
  a.emit(Op::raise_first, f, 0, 0, 4);
  const Outcome out = run(a);
  EXPECT_EQ(out.fault, FaultCode::modulus_by_zero);
  EXPECT_EQ(out.line, 2u);
}

TEST(Interpret, TheInnermostHandlerComesFirst) {
  Assembler a;
  a.begin(kInt);
  const uint16_t zero = a.load_constant(Value::integer(0));
  const uint16_t inner = a.load_constant(Value::integer(1));
  const uint16_t outer = a.load_constant(Value::integer(2));
  const uint32_t at = a.emit(Op::div_int, zero, zero, zero);
  a.emit(Op::ret, zero);
  a.handler(at, at + 1, a.pc());
  a.handler(0, at + 2, a.pc() + 1);
  a.emit(Op::ret, inner);
  a.emit(Op::ret, outer);
  EXPECT_EQ(run(a).value.i, 1);
}

TEST(Interpret, FailCarriesItsDetail) {
  Assembler a;
  a.begin();
  a.emit(Op::fail, static_cast<uint32_t>(FaultCode::undeclared_reference), a.constant(Value::string("nobody")), 0, 6);
  Fixture f(link(a));
  EXPECT_FALSE(f.evaluate());
  EXPECT_EQ(f.fault.code, FaultCode::undeclared_reference);
  EXPECT_EQ(f.fault.detail.as_text(), "nobody");
}

// --- calls

TEST(Interpret, CallsFunctions) {
  Assembler a;
  a.import("twice", "twice_int", 1);
  a.begin(kInt);
  const uint16_t x = a.load_constant(Value::integer(21));
  a.emit(Op::call, x, 0, x, 5);
  a.emit(Op::ret, x);
  const std::shared_ptr<const Program> program = link(a);
  Fixture f(program);
  ASSERT_TRUE(f.evaluate());
  EXPECT_EQ(f.value.i, 42);
  DecideOptions poor;
  poor.budget.cost = 9;
  EXPECT_FALSE(f.evaluate(0, poor));
  EXPECT_EQ(f.fault.code, FaultCode::cost_budget);
}

TEST(Interpret, CallsChooseAnOverloadByKinds) {
  const auto call = [](const Value& value) {
    Assembler a;
    a.import("twice", "", 1);
    a.begin();
    const uint16_t out = a.reg(kAnyKind);
    const uint16_t x = a.load_constant(value);
    a.emit(Op::call_dynamic, out, 0, x, 5);
    a.emit(Op::ret, out);
    return run(a);
  };
  EXPECT_EQ(call(Value::integer(3)).value.i, 6);
  EXPECT_EQ(call(Value::string("x")).fault, FaultCode::no_such_overload);
  EXPECT_EQ(call(Value::string("x")).line, 5u);
}

TEST(Interpret, PreparedCallsUseWhatLinkingPrepared) {
  const auto program = [](int64_t constant) {
    Assembler a;
    const uint32_t import = a.import("near", "near_int", 2);
    a.begin(kInt);
    const uint16_t x = a.load_constant(Value::integer(5));
    const uint16_t y = a.reg(kInt);
    const uint32_t number = a.constant(Value::integer(constant));
    a.emit(Op::const_, y, number);
    a.data.prepared.push_back({import, number});
    a.emit(Op::call_prepared, x, 0, x);
    a.emit(Op::ret, x);
    return link_program(std::move(a.data), functions());
  };
  auto good = program(3);
  ASSERT_TRUE(good.ok()) << good.error().message;
  Fixture f(*good);
  ASSERT_TRUE(f.evaluate());
  EXPECT_EQ(f.value.i, 305);
  auto bad = program(-3);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, "bad_program");
  EXPECT_NE(bad.error().message.find("negative"), std::string::npos);
}

TEST(Interpret, AFailedCallLeavesItsDestination) {
  Assembler a;
  a.import("silent", "silent_any", 1);
  a.begin();
  const uint16_t any = a.reg(kAnyKind);
  a.emit(Op::const_, any, a.constant(Value::integer(1)));
  const uint32_t at = a.emit(Op::call, any, 0, any);
  a.emit(Op::ret, any);
  a.handler(at, at + 1, a.pc());
  a.emit(Op::ret, any);
  const Outcome out = run(a);
  EXPECT_TRUE(out.ok);
  EXPECT_EQ(out.value.kind, Kind::integer);
}

TEST(Interpret, AFunctionThatFailsWithoutAFaultIsAHostError) {
  Assembler a;
  a.import("silent", "silent_any", 1);
  a.begin();
  const uint16_t any = a.reg(kAnyKind);
  a.emit(Op::const_, any, a.constant(Value::integer(1)));
  a.emit(Op::call, any, 0, any);
  a.emit(Op::ret, any);
  EXPECT_EQ(run(a).fault, FaultCode::host_error);
}

TEST(Interpret, FunctionsFaultWithTheirMessage) {
  Assembler a;
  a.import("refuse", "refuse_any", 1);
  a.begin();
  const uint16_t any = a.reg(kAnyKind);
  a.emit(Op::const_, any, a.constant(Value::integer(1)));
  a.emit(Op::call, any, 0, any, 2);
  a.emit(Op::ret, any);
  Fixture f(link(a));
  EXPECT_FALSE(f.evaluate());
  EXPECT_EQ(f.fault.code, FaultCode::invalid_argument);
  EXPECT_EQ(f.fault.detail.as_text(), "no good");
}

// --- records, lists, maps

Value map_value(Arena& arena, std::vector<MapEntry> entries) {
  return Value::map_of(make_map(arena, arena.copy(entries)));
}

// Evaluates `op` of a constant and a string or second operand; the result is in a register of kind
// `result`.
Outcome field(Op op, uint8_t result, const Value& operand, std::string_view name) {
  Assembler a;
  a.begin();
  const uint16_t from = a.load_constant(operand);
  const uint16_t out = a.reg(result);
  a.emit(op, out, from, a.constant(Value::string(name)), 2);
  a.emit(Op::ret, out);
  return run(a);
}

TEST(Interpret, FieldsOfMapsAndOptionals) {
  Arena arena;
  const Value map = map_value(arena, {{Value::string("a"), Value::integer(1)}});
  const Value some = Value::optional(&map), none = Value::optional(nullptr), nested = Value::optional(&some);
  EXPECT_EQ(field(Op::select, kAnyKind, map, "a").value.i, 1);
  EXPECT_EQ(field(Op::select, kAnyKind, map, "b").fault, FaultCode::no_such_key);
  EXPECT_EQ(field(Op::select, kAnyKind, Value::integer(1), "a").fault, FaultCode::no_such_overload);
  EXPECT_TRUE(field(Op::select, kAnyKind, none, "a").value.is(Kind::optional));
  EXPECT_TRUE(field(Op::has_field, kBool, map, "a").value.as_bool());
  EXPECT_TRUE(field(Op::has_field, kBool, nested, "a").value.as_bool());
  EXPECT_FALSE(field(Op::has_field, kBool, some, "b").value.as_bool());
  EXPECT_FALSE(field(Op::has_field, kBool, none, "a").value.as_bool());
  EXPECT_FALSE(field(Op::has_field, kBool, Value::null(), "a").value.as_bool());
  EXPECT_EQ(field(Op::has_field, kBool, Value::integer(1), "a").fault, FaultCode::no_such_overload);
  EXPECT_EQ(field(Op::select_optional, kOptional, map, "b").value.items, nullptr);
  EXPECT_EQ(field(Op::select_optional, kOptional, none, "a").value.items, nullptr);
  EXPECT_EQ(field(Op::select_optional, kOptional, Value::integer(1), "a").fault, FaultCode::no_such_overload);
}

Outcome index(Op op, const Value& operand, const Value& key) {
  Assembler a;
  a.begin();
  const uint16_t from = a.load_constant(operand);
  const uint16_t at = a.load_constant(key);
  const uint16_t out = a.reg(op == Op::index ? kAnyKind : kOptional);
  a.emit(op, out, from, at, 2);
  a.emit(Op::ret, out);
  return run(a);
}

TEST(Interpret, Indexing) {
  Arena arena;
  const Value items[] = {Value::integer(10), Value::integer(11)};
  const Value list = Value::list(items);
  const Value map = map_value(arena, {{Value::integer(1), Value::integer(7)}});
  EXPECT_EQ(index(Op::index, list, Value::integer(1)).value.i, 11);
  EXPECT_EQ(index(Op::index, list, Value::unsigned_integer(1)).value.i, 11);
  EXPECT_EQ(index(Op::index, list, Value::floating(0.0)).value.i, 10);
  EXPECT_EQ(index(Op::index, list, Value::integer(2)).fault, FaultCode::index_out_of_bounds);
  EXPECT_EQ(index(Op::index, list, Value::integer(-1)).fault, FaultCode::index_out_of_bounds);
  EXPECT_EQ(index(Op::index, list, Value::unsigned_integer(UINT64_MAX)).fault, FaultCode::index_out_of_bounds);
  EXPECT_EQ(index(Op::index, list, Value::floating(1e300)).fault, FaultCode::index_out_of_bounds);
  EXPECT_EQ(index(Op::index, list, Value::floating(0.5)).fault, FaultCode::no_such_overload);
  EXPECT_EQ(index(Op::index, list, Value::floating(std::nan(""))).fault, FaultCode::no_such_overload);
  EXPECT_EQ(index(Op::index, list, Value::string("0")).fault, FaultCode::no_such_overload);
  EXPECT_EQ(index(Op::index, map, Value::floating(1.0)).value.i, 7);
  EXPECT_EQ(index(Op::index, map, Value::integer(2)).fault, FaultCode::no_such_key);
  EXPECT_EQ(index(Op::index, Value::null(), Value::integer(0)).fault, FaultCode::no_such_overload);
  EXPECT_EQ(index(Op::index_optional, list, Value::integer(5)).value.items, nullptr);
  EXPECT_TRUE(index(Op::index_optional, list, Value::integer(5)).ok);
  EXPECT_EQ(index(Op::index_optional, Value::optional(nullptr), Value::string("x")).value.items, nullptr);
  EXPECT_EQ(index(Op::index_optional, list, Value::string("x")).fault, FaultCode::no_such_overload);
}

// Builds [0, 1, ..., n - 1] by pushing, with a budget of memory.
bool build_list(int64_t n, uint64_t memory, Fixture** out) {
  Assembler a;
  a.begin(kList);
  const uint16_t builder = a.reg(kBuilderKind);
  const uint16_t list = a.reg(kList);
  const uint16_t more = a.reg(kBool);
  const uint16_t i = a.load_constant(Value::integer(0));
  const uint16_t end = a.load_constant(Value::integer(n));
  a.emit(Op::list_new, builder, UINT32_MAX);
  const uint32_t body = a.emit(Op::charge, 0, 1);
  a.emit(Op::list_push, builder, i, 0, 3);
  a.emit(Op::inc, i);
  a.emit(Op::lt_int, more, i, end);
  a.emit(Op::jump_if, more, body);
  a.emit(Op::list_done, list, builder);
  a.emit(Op::ret, list);
  *out = new Fixture(link(a));
  DecideOptions options;
  options.budget.memory = memory;
  return (*out)->evaluate(0, options);
}

TEST(Interpret, ListsAreChargedByTheElement) {
  Fixture* f = nullptr;
  ASSERT_TRUE(build_list(5000, 16 * 5000, &f));
  ASSERT_EQ(f->value.aux, 5000u);
  for (int64_t i = 0; i < 5000; ++i) ASSERT_EQ(f->value.items[i].i, i);
  delete f;
  EXPECT_FALSE(build_list(5000, 16 * 5000 - 1, &f));
  EXPECT_EQ(f->fault.code, FaultCode::memory_budget);
  delete f;
}

TEST(Interpret, ASmallScratchIsAMemoryFaultToo) {
  Fixture* f = nullptr;
  ASSERT_TRUE(build_list(5000, UINT64_MAX, &f));
  Scratch small(64 << 10);
  Value value;
  Fault fault;
  EXPECT_FALSE(evaluate(*f->program, 0, f->call, f->context, small, {}, &value, &fault));
  EXPECT_EQ(fault.code, FaultCode::memory_budget);
  delete f;
}

// Builds {0: 0, 1: 1, ...}, with the last key put twice if `repeat`.
bool build_map(int64_t n, bool repeat, Fixture** out) {
  Assembler a;
  a.begin(kMap);
  const uint16_t builder = a.reg(kBuilderKind);
  const uint16_t map = a.reg(kMap);
  const uint16_t more = a.reg(kBool);
  const uint16_t i = a.load_constant(Value::integer(0));
  const uint16_t end = a.load_constant(Value::integer(n));
  const uint16_t last = a.load_constant(Value::unsigned_integer(static_cast<uint64_t>(n - 1)));
  a.emit(Op::map_new, builder, 2);
  const uint32_t body = a.emit(Op::charge, 0, 1);
  a.emit(Op::map_put, builder, i, i, 3);
  a.emit(Op::inc, i);
  a.emit(Op::lt_int, more, i, end);
  a.emit(Op::jump_if, more, body);
  if (repeat) a.emit(Op::map_put, builder, last, i, 4);
  a.emit(Op::map_done, map, builder);
  a.emit(Op::ret, map);
  *out = new Fixture(link(a));
  return (*out)->evaluate();
}

TEST(Interpret, MapsRefuseDuplicateKeysHoweverManyTheyHave) {
  for (const int64_t n : {1, 8, 9, 10, 33, 500}) {
    Fixture* f = nullptr;
    ASSERT_TRUE(build_map(n, false, &f)) << n;
    EXPECT_EQ(f->value.map->count, n);
    ASSERT_NE(map_find(*f->value.map, Value::integer(n - 1)), nullptr);
    delete f;
    EXPECT_FALSE(build_map(n, true, &f)) << n;
    EXPECT_EQ(f->fault.code, FaultCode::duplicate_key);
    EXPECT_EQ(f->fault.detail.u, static_cast<uint64_t>(n - 1));
    delete f;
  }
}

TEST(Interpret, MapKeysAreOfFourKinds) {
  const auto put = [](const Value& key) {
    Assembler a;
    a.begin(kMap);
    const uint16_t builder = a.reg(kBuilderKind);
    const uint16_t map = a.reg(kMap);
    const uint16_t k = a.load_constant(key);
    a.emit(Op::map_new, builder, 1);
    a.emit(Op::map_put, builder, k, k);
    a.emit(Op::map_done, map, builder);
    a.emit(Op::ret, map);
    return run(a).fault;
  };
  EXPECT_EQ(put(Value::boolean(true)), FaultCode::none);
  EXPECT_EQ(put(Value::string("k")), FaultCode::none);
  EXPECT_EQ(put(Value::floating(1.0)), FaultCode::unsupported_key);
  EXPECT_EQ(put(Value::null()), FaultCode::unsupported_key);
  EXPECT_EQ(put(Value::list({})), FaultCode::unsupported_key);
}

TEST(Interpret, OptionalElementsAreFlattenedAway) {
  const auto push = [](const Value& element) {
    Assembler a;
    a.begin(kList);
    const uint16_t builder = a.reg(kBuilderKind);
    const uint16_t list = a.reg(kList);
    const uint16_t e = a.load_constant(element);
    a.emit(Op::list_new, builder, 1);
    a.emit(Op::list_push_optional, builder, e, 0, 1);
    a.emit(Op::list_done, list, builder);
    a.emit(Op::ret, list);
    return run(a);
  };
  const Value one = Value::integer(1);
  EXPECT_EQ(push(Value::optional(&one)).value.aux, 1u);
  EXPECT_EQ(push(Value::optional(nullptr)).value.aux, 0u);
  EXPECT_TRUE(push(Value::optional(nullptr)).ok);
  EXPECT_EQ(push(one).fault, FaultCode::no_such_overload);
}

TEST(Interpret, IterationStaysInsideWhateverTheIndex) {
  Arena arena;
  const Value items[] = {Value::string("x")};
  const Value map = map_value(arena, {{Value::string("k"), Value::string("v")}});
  const auto at = [](Op op, const Value& container, int64_t index) {
    Assembler a;
    a.begin();
    const uint16_t from = a.load_constant(container);
    const uint16_t i = a.load_constant(Value::integer(index));
    const uint16_t out = a.reg(kAnyKind);
    a.emit(op, out, from, i);
    a.emit(Op::ret, out);
    auto program = link(a);
    Fixture f(program);
    EXPECT_TRUE(f.evaluate());
    return f.value.is(Kind::string) ? std::string(f.value.as_text()) : std::string(type_name(f.value.kind));
  };
  const Value list = Value::list(items);
  EXPECT_EQ(at(Op::iter_item, list, 0), "x");
  EXPECT_EQ(at(Op::iter_item, map, 0), "k");
  EXPECT_EQ(at(Op::iter_key, list, 0), "int");
  EXPECT_EQ(at(Op::iter_key, map, 0), "k");
  EXPECT_EQ(at(Op::iter_value, map, 0), "v");
  for (const int64_t outside : {int64_t{1}, int64_t{-1}, kMin, kMax}) {
    EXPECT_EQ(at(Op::iter_item, list, outside), "null_type");
    EXPECT_EQ(at(Op::iter_value, map, outside), "null_type");
    EXPECT_EQ(at(Op::iter_item, Value::integer(1), outside), "null_type");
  }
}

TEST(Interpret, OnlyContainersHaveASize) {
  Assembler a;
  a.begin(kInt);
  const uint16_t from = a.load_constant(Value::string("abc"));
  const uint16_t out = a.reg(kInt);
  a.emit(Op::iter_size, out, from, 0, 6);
  a.emit(Op::ret, out);
  const Outcome outcome = run(a);
  EXPECT_EQ(outcome.fault, FaultCode::no_such_overload);
  EXPECT_EQ(outcome.line, 6u);
}

}  // namespace
}  // namespace ordain
