// These tests check that a context from the cache decides as a context that is filled by hand does,
// and that the cache stays within its bounds.
#include "ordain/context_cache.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ordain/call.h"
#include "tests/support/allocations.h"
#include "vm/program/linked_program.h"

namespace ordain {
namespace {

const FunctionTable& nothing_to_call() {
  static const FunctionTable table;
  return table;
}

// Makes a program that reads agent.id and agent.level, and two of agent.roles.
std::shared_ptr<const Program> program_of_agents() {
  ProgramData data;
  Schema& schema = data.schema;
  Arena& arena = data.memory;
  const Type* list = parse_type(arena, "list(string)");
  const std::vector<RecordField> fields = {{"id", &types::kString}, {"level", &types::kInt}, {"roles", list}};
  const auto* type = arena.make<RecordType>(RecordType{"agent", false, arena.copy(fields)});
  data.symbols = {"admin", "writer", "a-7"};
  RecordBinding record;
  record.name = "agent";
  record.type = type;
  for (const RecordField& field : fields) {
    Slot slot;
    slot.path = fmt::format("agent.{}", field.name);
    slot.type = field.type;
    slot.bank = Bank::context;
    slot.host = true;
    slot.index = schema.slot_count[0]++;
    slot.compared = field.type->kind == TypeKind::string;
    if (field.type == list) slot.member_symbols = {1, 2};
    record.fields.push_back(
        {std::string(field.name), field.type, false, static_cast<SlotId>(schema.slots.size()), kNone});
    schema.slots.push_back(slot);
  }
  schema.bit_words[0] = 1;
  schema.records.push_back(record);
  schema.roots.emplace("agent", 0);
  auto linked = link_program(std::move(data), nothing_to_call());
  EXPECT_TRUE(linked.ok()) << linked.error().message;
  return *linked;
}

constexpr std::string_view kWriter = R"({"agent": {"id": "a-7", "level": 3, "roles": ["writer", "reader"]}})";

TEST(ContextCache, FillsSlotsAsAContextDoes) {
  auto program = program_of_agents();
  ContextCache cache(program);
  const auto found = cache.of(kWriter);
  ASSERT_TRUE(found.ok()) << found.error().message;
  const Context& got = **found;
  EXPECT_FALSE(got.error().failed) << got.error().message;

  Context by_hand(program);
  const Value roles[] = {Value::string("writer"), Value::string("reader")};
  by_hand.set("agent.id", Value::string("a-7"));
  by_hand.set("agent.level", Value::integer(3));
  by_hand.set("agent.roles", Value::list(roles));
  EXPECT_EQ(got.slots().symbols, by_hand.slots().symbols);
  EXPECT_EQ(got.slots().bits, by_hand.slots().bits);
  ASSERT_EQ(got.slots().values.size(), by_hand.slots().values.size());
  for (size_t i = 0; i < got.slots().values.size(); ++i) {
    EXPECT_TRUE(equal(got.slots().values[i], by_hand.slots().values[i])) << i;
  }
}

TEST(ContextCache, KnowsATextByItsBytes) {
  ContextCache cache(program_of_agents());
  std::string text(kWriter);
  const Context* first = *cache.of(text);
  text.assign(text.size(), ' ');  // the cache keeps its own copy
  EXPECT_EQ(*cache.of(kWriter), first);
  const Context* other = *cache.of(R"({"agent": {"id": "a-8", "level": 3, "roles": ["writer", "reader"]}})");
  EXPECT_NE(other, first);
  EXPECT_EQ(cache.size(), 2u);
}

TEST(ContextCache, AllocatesNothingForAKnownText) {
  if (ORDAIN_COUNTS_ALLOCATIONS == 0) GTEST_SKIP();
  ContextCache cache(program_of_agents());
  ASSERT_TRUE(cache.of(kWriter).ok());
  const uint64_t before = test::allocations_made;
  const bool found = cache.of(kWriter).ok();
  EXPECT_EQ(test::allocations_made, before);
  EXPECT_TRUE(found);
}

TEST(ContextCache, KeepsNoMoreThanItMay) {
  ContextCache cache(program_of_agents(), 3);
  for (int i = 0; i < 20; ++i) {
    const std::string text = fmt::format(R"({{"agent": {{"id": "a-{}"}}}})", i);
    ASSERT_TRUE(cache.of(text).ok());
    EXPECT_LE(cache.size(), 3u);
    EXPECT_EQ((*cache.of(text))->slots().values[0].as_text(), fmt::format("a-{}", i));
  }
  const std::string longer = fmt::format(R"({{"agent": {{"id": "{}"}}}})", std::string(ContextCache::kLongest, 'x'));
  const size_t before = cache.size();
  EXPECT_EQ((*cache.of(longer))->slots().values[0].aux, ContextCache::kLongest);
  EXPECT_EQ(cache.size(), before);
}

TEST(ContextCache, RefusesWhatIsNotWhoActs) {
  ContextCache cache(program_of_agents());
  for (const char* text : {"", "{", "[]", "7", R"({"agent": {"id": "a", "id": "b"}})", R"({"input": {"amount": 1}})",
                           R"({"agents": {}})", "{\"agent\": {\"id\": \"\xFF\"}}"}) {
    const auto refused = cache.of(text);
    ASSERT_FALSE(refused.ok()) << text;
    EXPECT_EQ(refused.error().code, "bad_json") << text;
  }
  EXPECT_EQ(cache.size(), 0u);
}

TEST(ContextCache, AValueThatDoesNotFitMakesTheContextInvalid) {
  ContextCache cache(program_of_agents());
  const auto found = cache.of(R"({"agent": {"level": "high"}})");
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE((*found)->error().failed);
  EXPECT_EQ((*found)->error().path, "agent.level");
  EXPECT_FALSE((*cache.of(R"({"agent": {"hobby": "chess"}, "tenant": "t"})"))->error().failed);
}

}  // namespace
}  // namespace ordain
