// These tests cover Program: look-ups, the serialised form, and that loading any bytes is harmless.
#include <gtest/gtest.h>

#include "ordain/digest.h"
#include "tests/support/sample_program.h"
#include "vm/interpret/frame.h"
#include "vm/program/format.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

using namespace ordain::test;

std::shared_ptr<const Program> sample() {
  Assembler a = sample_program();
  auto program = link_program(std::move(a.data), sample_functions());
  EXPECT_TRUE(program.ok()) << program.error().message;
  return program ? *program : nullptr;
}

TEST(Digest, IsSha256) {
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// The second test case of RFC 4231, and an empty message.
TEST(Digest, HmacIsWhatTheStandardSays) {
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256("", "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Program, FindsCapabilities) {
  auto program = sample();
  const CapabilityRef act = program->resolve("act");
  EXPECT_EQ(act.id, 0u);
  EXPECT_EQ(act.name, "act");
  const CapabilityRef pay = program->resolve("pay.card");
  EXPECT_EQ(pay.id, kNone);
  EXPECT_TRUE(pay.globs[0]);
  EXPECT_TRUE(pay.globs[1]);
  EXPECT_FALSE(program->resolve("other").globs[1]);
  EXPECT_EQ(program->resolve("").id, kNone);
}

TEST(Program, FindsSlots) {
  auto program = sample();
  const Capability* act = program->schema().find_capability("act");
  EXPECT_EQ(program->slot(act, "input.name").id, 0u);
  EXPECT_EQ(program->slot(act, "input").id, 3u);
  EXPECT_EQ(program->slot(act, "input.nothing").id, kNone);
  EXPECT_EQ(program->slot(act, "input.name.more").id, kNone);
  EXPECT_EQ(program->slot(nullptr, "agent.clearance").id, 2u);
  EXPECT_EQ(program->slot(nullptr, "input.name").id, kNone);
  EXPECT_EQ(program->slot(nullptr, "").id, kNone);
}

TEST(Program, FindsSymbolsAndMemberBits) {
  auto program = sample();
  EXPECT_EQ(program->symbol("red"), 1u);
  EXPECT_EQ(program->symbol("blue"), 2u);
  EXPECT_EQ(program->symbol("green"), 0u);
  EXPECT_EQ(program->symbol(""), 0u);
  EXPECT_EQ(program->member_bit(1, 2), 0u);
  EXPECT_EQ(program->member_bit(1, 1), 1u);
  EXPECT_EQ(program->member_bit(0, 1), kNone);
  EXPECT_EQ(program->member_bit(1, 0), kNone);
}

TEST(Program, FindsEachOfManySymbols) {
  Assembler a;
  for (int i = 0; i < 5000; ++i) a.symbol("symbol number " + std::to_string(i * 7919));
  auto program = link_program(std::move(a.data), sample_functions());
  ASSERT_TRUE(program.ok());
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ((*program)->symbol("symbol number " + std::to_string(i * 7919)), static_cast<SymbolId>(i + 1));
    ASSERT_EQ((*program)->symbol("symbol number " + std::to_string(i * 7919 + 1)), 0u);
  }
}

TEST(Program, NamesFunctionsThatAreNotThere) {
  for (const bool overload : {true, false}) {
    Assembler a;
    a.import("nowhere", overload ? "nowhere_int" : "", 1);
    auto program = link_program(std::move(a.data), sample_functions());
    ASSERT_FALSE(program.ok());
    EXPECT_EQ(program.error().code, "unknown_function");
    EXPECT_NE(program.error().message.find("`nowhere`"), std::string::npos);
  }
  Assembler wrong_name;
  wrong_name.import("near", "same_any", 1);
  EXPECT_EQ(link_program(std::move(wrong_name.data), sample_functions()).error().code, "unknown_function");
}

TEST(Program, NativeCodeIsPublishedAndCounted) {
  auto program = sample();
  const size_t count = data_of(*program).predicates.size();
  EXPECT_FALSE(program->fully_native());
  for (uint32_t i = 0; i < count; ++i) {
    EXPECT_EQ(native_code_of(*program).predicate(i), nullptr);
    native_code_of(*program).install_predicate(i, [](Frame*) -> uint32_t { return 0; });
    native_code_of(*program).install_predicate(i, [](Frame*) -> uint32_t { return 1; });
    EXPECT_EQ(native_code_of(*program).predicate(i)(nullptr), 1u);
    EXPECT_EQ(program->fully_native(), i + 1 == count);
  }
  auto owner = std::make_shared<int>(1);
  native_code_of(*program).keep(owner);
  EXPECT_EQ(owner.use_count(), 2);
  program.reset();
  EXPECT_EQ(owner.use_count(), 1);
}

TEST(Program, TellsItsMemory) {
  auto program = sample();
  EXPECT_GT(program->memory(), program->serialise().size());
  EXPECT_LT(program->memory(), size_t{1} << 20);
}

// --- the serialised form

TEST(Program, LoadsWhatItSerialised) {
  auto program = sample();
  const std::string bytes = program->serialise();
  EXPECT_EQ(bytes, sample()->serialise());
  EXPECT_EQ(program->digest(), sha256(bytes));
  auto loaded = Program::load(bytes, sample_functions());
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ((*loaded)->serialise(), bytes);
  EXPECT_EQ((*loaded)->digest(), program->digest());

  const ProgramData &a = data_of(*program), &b = data_of(**loaded);
  EXPECT_EQ(a.files, b.files);
  ASSERT_EQ(a.rules.size(), b.rules.size());
  for (size_t i = 0; i < a.rules.size(); ++i) {
    EXPECT_EQ(a.rules[i].name, b.rules[i].name);
    EXPECT_EQ(b.rules[i].policy, "p");
    EXPECT_EQ((*loaded)->policy_version(static_cast<RuleId>(i)), "1.2");
    EXPECT_EQ(a.rules[i].package, b.rules[i].package);
  }
  ASSERT_EQ(a.constants.size(), b.constants.size());
  for (size_t i = 0; i < a.constants.size(); ++i) {
    EXPECT_TRUE(equal(a.constants[i], b.constants[i])) << i;
    EXPECT_EQ(a.constants[i].kind, b.constants[i].kind);
  }
  ASSERT_EQ(a.schema.slots.size(), b.schema.slots.size());
  for (size_t i = 0; i < a.schema.slots.size(); ++i) {
    EXPECT_EQ(a.schema.slots[i].path, b.schema.slots[i].path);
    EXPECT_TRUE(same_type(*a.schema.slots[i].type, *b.schema.slots[i].type));
  }
  EXPECT_EQ(b.schema.capabilities[0].risk, 2.5);
  EXPECT_EQ(b.packages[0].digest, a.packages[0].digest);
  EXPECT_EQ(b.packages[1].budget, 123'456u);
}

Decision decide_sample(Fixture& f) {
  f.call.set(f.call.program().slot(0), Value::string("red"));
  const Value tags[] = {Value::string("red")};
  f.call.set(f.call.program().slot(1), Value::list(tags));
  return decide_all(f.call, f.context, f.scratch);
}

TEST(Program, ALoadedProgramDecidesTheSame) {
  auto program = sample();
  auto loaded = Program::load(program->serialise(), sample_functions());
  ASSERT_TRUE(loaded.ok());
  for (const Stage stage : {Stage::before, Stage::after}) {
    for (const char* capability : {"act", "undeclared"}) {
      Fixture f(program, capability, stage), g(*loaded, capability, stage);
      const Decision a = decide_sample(f), b = decide_sample(g);
      EXPECT_EQ(a.effect, b.effect);
      EXPECT_EQ(a.code, b.code);
      EXPECT_EQ(a.reason, b.reason);
      EXPECT_EQ(a.fault.code, b.fault.code);
      EXPECT_EQ(a.fault.location, b.fault.location);
      EXPECT_TRUE(std::ranges::equal(a.matched, b.matched));
      EXPECT_EQ(a.obligations.size(), b.obligations.size());
    }
  }
  Fixture f(program);
  EXPECT_EQ(decide_sample(f).effect, Effect::deny);
}

TEST(Program, AnEmptyProgramIsAProgram) {
  auto program = link_program(ProgramData(), sample_functions());
  ASSERT_TRUE(program.ok()) << program.error().message;
  auto loaded = Program::load((*program)->serialise(), sample_functions());
  ASSERT_TRUE(loaded.ok());
  Fixture f(*loaded);
  EXPECT_EQ(decide(f.call, f.context, f.scratch).code, DecisionCode::default_effect);
}

// Every program that loads must also run.
bool survives(std::string_view bytes) {
  auto program = Program::load(bytes, sample_functions());
  if (!program) {
    EXPECT_TRUE(program.error().code == "bad_program" || program.error().code == "unknown_function");
    EXPECT_FALSE(program.error().message.empty());
    return false;
  }
  EXPECT_EQ((*program)->serialise(), bytes);
  EXPECT_EQ((*program)->digest(), sha256(bytes));
  DecideOptions options;
  options.budget = {.cost = 1000, .memory = 4096};
  for (const Stage stage : {Stage::before, Stage::after}) {
    for (const char* capability : {"act", "other"}) {
      Fixture f(*program, capability, stage, 64 << 10);
      f.call.bind_input(Value::null());
      f.call.begin((*program)->resolve(capability), stage);
      decide_all(f.call, f.context, f.scratch, options);
      for (uint32_t i = 0; i < data_of(**program).predicates.size(); ++i) f.evaluate(i, options);
    }
  }
  return true;
}

TEST(Program, NoTruncationLoads) {
  const std::string bytes = sample()->serialise();
  for (size_t size = 0; size < bytes.size(); ++size) ASSERT_FALSE(survives(bytes.substr(0, size))) << size;
  EXPECT_TRUE(survives(bytes));
  EXPECT_FALSE(survives(bytes + '\0'));
}

TEST(Program, NoFlippedByteDoesHarm) {
  const std::string bytes = sample()->serialise();
  int loaded = 0;
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xFF}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      loaded += survives(damaged) ? 1 : 0;
    }
  }
  EXPECT_GT(loaded, 0);  // bytes in names and digests may change
  EXPECT_LT(loaded, static_cast<int>(3 * bytes.size()));
}

TEST(Program, NamesWhatIsDamaged) {
  std::string bytes = sample()->serialise();
  EXPECT_NE(Program::load("ELF", sample_functions()).error().message.find("does not begin"), std::string::npos);
  std::string newer = bytes;
  newer[8] = 9;
  EXPECT_NE(Program::load(newer, sample_functions()).error().message.find("version 9"), std::string::npos);
  EXPECT_NE(Program::load(bytes.substr(0, 60), sample_functions()).error().message.find("cut short"),
            std::string::npos);
}

// A count far beyond the file must not be trusted: nothing is reserved for it.
TEST(Program, HugeCountsAreRefusedAtOnce) {
  std::string bytes = link_program(ProgramData(), sample_functions()).ok()
                          ? (*link_program(ProgramData(), sample_functions()))->serialise()
                          : "";
  const size_t header = 8 + 4 + 4 * 10;
  ASSERT_GT(bytes.size(), header);
  for (size_t at = header; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged.replace(at, 1, "\xff\xff\xff\xff\x0f");
    // The section grows by four bytes; find its header and update it.
    size_t begin = header;
    for (size_t section = 0; section < 10; ++section) {
      const auto size = static_cast<uint8_t>(bytes[12 + 4 * section]);
      if (at < begin + size) {
        damaged[12 + 4 * section] = static_cast<char>(size + 4);
        break;
      }
      begin += size;
    }
    EXPECT_FALSE(survives(damaged)) << at;
  }
}

// The bytes of a program with a section replaced.
std::string with_section(const std::string& bytes, format::Section which, const std::string& text) {
  format::Reader in(bytes);
  format::Writer out;
  out.bytes(in.bytes(format::kMagic.size()));
  out.fixed32(in.fixed32());
  uint32_t sizes[format::kSectionCount];
  for (uint32_t& size : sizes) size = in.fixed32();
  for (size_t i = 0; i < format::kSectionCount; ++i) {
    out.fixed32(i == static_cast<size_t>(which) ? static_cast<uint32_t>(text.size()) : sizes[i]);
  }
  for (size_t i = 0; i < format::kSectionCount; ++i) {
    const std::string_view before = in.bytes(sizes[i]);
    out.bytes(i == static_cast<size_t>(which) ? text : before);
  }
  return out.text();
}

std::string section_of(const std::string& bytes, format::Section which) {
  format::Reader in(bytes);
  in.bytes(format::kMagic.size() + 4);
  uint32_t sizes[format::kSectionCount];
  for (uint32_t& size : sizes) size = in.fixed32();
  for (size_t i = 0; i < static_cast<size_t>(which); ++i) in.bytes(sizes[i]);
  return std::string(in.bytes(sizes[static_cast<size_t>(which)]));
}

// Names of files, types of two slots, roots, globs and sets of them: whatever has an order or a number of its own.
std::string numbered_program() {
  Assembler a;
  a.data.files = {"s", "r"};
  a.slot("input.a", types::list_of(a.data.memory, &types::kInt));
  a.slot("input.b", &types::kString);
  RecordBinding record;
  record.name = "agent";
  record.dynamic = true;
  a.data.schema.records = {record};
  a.data.schema.roots = {{"r", 0}, {"s", 0}};
  a.data.schema.globs = {"x.*", "y.*"};
  GlobSet both;
  both.set(0).set(1);
  a.data.target_sets = {both};
  auto program = link_program(std::move(a.data), sample_functions());
  EXPECT_TRUE(program.ok()) << program.error().message;
  return program ? (*program)->serialise() : "";
}

TEST(Program, OnlyTheCanonicalFormLoads) {
  using format::Section;
  const std::string bytes = numbered_program();
  ASSERT_TRUE(Program::load(bytes, sample_functions()).ok());
  const auto text = [&bytes](Section section) { return section_of(bytes, section); };
  // Of texts with fewer than 128 items, which count them in one byte.
  const auto one_more = [&text](Section section, const std::string& item) {
    std::string out = text(section) + item;
    ++out[0];
    return out;
  };
  const auto replaced = [&text](Section section, std::string_view from, std::string_view to) {
    std::string out = text(section);
    const size_t at = out.find(from);
    EXPECT_NE(at, std::string::npos);
    return out.replace(at, from.size(), to);
  };
  const std::string names = text(Section::strings);
  ASSERT_EQ(names.substr(1, 4), std::string("\1s\1r"));
  const std::string types = text(Section::types);
  ASSERT_EQ(types[0], 3);  // int, list(int), string
  using namespace std::string_view_literals;
  const struct {
    const char* what;
    Section section;
    std::string text;
  } cases[] = {
      {"a number in more bytes than it needs", Section::strings,
       std::string{static_cast<char>(names[0] | 0x80)} + '\0' + names.substr(1)},
      {"a string that nothing uses", Section::strings, one_more(Section::strings, "\3new")},
      {"a string twice", Section::strings, one_more(Section::strings, "\1s")},
      {"strings out of order", Section::places, replaced(Section::places, "\2\0\1"sv, "\2\1\0"sv)},
      {"a type that nothing uses", Section::types,
       one_more(Section::types, std::string{static_cast<char>(TypeKind::boolean), 0, 0, 0, 0})},
      {"a type twice", Section::types, one_more(Section::types, types.substr(1, 5))},
      {"types out of order", Section::schema, replaced(Section::schema, "\2\1"sv, "\2\2"sv)},
      {"roots out of order", Section::schema, replaced(Section::schema, "\2\1\0\0\0"sv, "\2\0\0\1\0"sv)},
      {"a set out of order", Section::plan, replaced(Section::plan, "\1\2\0\1"sv, "\1\2\1\0"sv)},
      {"a glob twice in a set", Section::plan, replaced(Section::plan, "\1\2\0\1"sv, "\1\2\1\1"sv)},
  };
  for (const auto& c : cases) {
    auto loaded = Program::load(with_section(bytes, c.section, c.text), sample_functions());
    ASSERT_FALSE(loaded.ok()) << c.what;
    EXPECT_NE(loaded.error().message.find("canonical"), std::string::npos) << c.what << ": " << loaded.error().message;
  }
}

}  // namespace
}  // namespace ordain
