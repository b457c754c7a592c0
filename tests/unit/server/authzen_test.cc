// AuthZEN requests and the mapping that turns them into events.
#include "server/authzen.h"

#include "tests/unit/server/support.h"

namespace ordain::server {
namespace {

using namespace testing;

/// Two people and two records, as in the standard's certification scenario, beside what else a
/// decision can be.
constexpr const char* kRecords = R"(
context { principal { level: optional(int) } }
policy records on before read, write, remove, publish, approve_me {
  deny archived            when resource.id == "record-2" && capability.name != "read" because "archived";
  deny agents              when agent.id != "" && capability.name == "remove";
  redact note input.note   when capability.name == "publish";
  require_approval ask     when capability.name == "approve_me" from "finance";
  allow readers            when capability.name == "read";
  allow owner              when principal.id == "alice";
  allow high               when has(principal.level) && principal.level > 3;
}
)";

struct Records : Served {
  Records() : Served(compile_text(kRecords)) {}
  Json decide(const Json& body) const { return posted("/access/v1/evaluation", body.dump()); }
  unsigned status(const std::string& body) const { return post("/access/v1/evaluation", body).status; }
  Json decide_all(const Json& body) const { return posted("/access/v1/evaluations", body.dump()); }
};

Json evaluation(const std::string& who, const std::string& action, const std::string& record) {
  return {{"subject", {{"type", "user"}, {"id", who}}},
          {"action", {{"name", action}}},
          {"resource", {{"type", "record"}, {"id", record}}}};
}

TEST(Authzen, EightDecisions) {
  const Records records;
  const std::tuple<const char*, const char*, const char*, bool> kTable[] = {
      {"alice", "read", "record-1", true},   {"alice", "write", "record-1", true}, {"alice", "read", "record-2", true},
      {"alice", "write", "record-2", false}, {"bob", "read", "record-1", true},    {"bob", "write", "record-1", false},
      {"bob", "read", "record-2", true},     {"bob", "write", "record-2", false},
  };
  for (const auto& [who, action, record, expected] : kTable) {
    const Json out = records.decide(evaluation(who, action, record));
    EXPECT_EQ(out["decision"], expected) << who << " " << action << " " << record << " " << out.dump();
  }
}

TEST(Authzen, PropertiesAreAttributes) {
  const Records records;
  Json request = evaluation("bob", "write", "record-1");
  request["subject"]["properties"] = {{"level", 4}, {"unknown", "x"}};
  EXPECT_EQ(records.decide(request)["decision"], true);
  request["subject"]["properties"] = {{"id", "alice"}};  // does not replace the subject's id
  EXPECT_EQ(records.decide(request)["decision"], false);
}

TEST(Authzen, AnAgentIsNotAPrincipal) {
  const Records records;
  Json request = evaluation("alice", "remove", "record-1");
  EXPECT_EQ(records.decide(request)["decision"], true);
  request["subject"]["type"] = "agent";
  const Json out = records.decide(request);
  EXPECT_EQ(out["decision"], false);
  EXPECT_EQ(out["context"]["rule"], "records.agents");
}

TEST(Authzen, WhatIsNotAPlainYesIsFalse) {
  Records records;
  Json publish = evaluation("alice", "publish", "record-1");
  publish["action"]["properties"] = {{"note", "secret"}};
  EXPECT_EQ(records.decide(publish)["decision"], false);
  const Json asks = records.decide(evaluation("alice", "approve_me", "record-1"));
  EXPECT_EQ(asks["decision"], false);
  EXPECT_EQ(asks["context"]["effect"], "require_approval");
  EXPECT_EQ(asks["context"]["from"], Json::array({"finance"}));

  records.options.clients_redact = true;
  records.restart();
  const Json redacted = records.decide(publish);
  EXPECT_EQ(redacted["decision"], true);
  EXPECT_EQ(redacted["context"]["obligations"][0]["path"], "input.note");
  EXPECT_EQ(records.decide(evaluation("alice", "approve_me", "record-1"))["decision"], false);
}

TEST(Authzen, WhatIsNotARequestIsABadRequest) {
  const Records records;
  const Json good = evaluation("alice", "read", "record-1");
  for (const char* part : {"subject", "action", "resource"}) {
    Json request = good;
    request.erase(part);
    EXPECT_EQ(records.status(request.dump()), 400u) << part;
    for (const Json& wrong : {Json("text"), Json(1), Json::array(), Json(nullptr), Json::object()}) {
      request[part] = wrong;
      EXPECT_EQ(records.status(request.dump()), 400u) << request.dump();
    }
  }
  for (const auto& [part, field] :
       {std::pair{"subject", "type"}, std::pair{"subject", "id"}, std::pair{"action", "name"},
        std::pair{"resource", "type"}, std::pair{"resource", "id"}}) {
    Json request = good;
    request[part].erase(field);
    EXPECT_EQ(records.status(request.dump()), 400u) << part << "." << field;
    request[part][field] = 7;
    EXPECT_EQ(records.status(request.dump()), 400u) << part << "." << field;
  }
  Json request = good;
  request["context"] = "text";
  EXPECT_EQ(records.status(request.dump()), 400u);
  request = good;
  request["subject"]["properties"] = 1;
  EXPECT_EQ(records.status(request.dump()), 400u);
  for (const char* body : {"", "{", "[]", "null"}) EXPECT_EQ(records.status(body), 400u) << body;
  request = good;
  request["unknown"] = {{"is", "ignored"}};
  EXPECT_EQ(records.status(request.dump()), 200u);
}

TEST(Authzen, AnotherContentTypeIsABadRequest) {
  const Records records;
  HttpRequest asked = request("POST", "/access/v1/evaluation", evaluation("alice", "read", "record-1").dump());
  EXPECT_EQ(records.ask(asked).status, 200u);
  asked.headers[1].second = "text/plain";
  EXPECT_EQ(records.ask(asked).status, 400u);
  asked.headers.erase(asked.headers.begin() + 1);
  EXPECT_EQ(records.ask(asked).status, 400u);
}

TEST(Authzen, EntriesReplaceDefaultsWhole) {
  const Records records;
  Json request = evaluation("bob", "write", "record-1");
  request["subject"]["properties"] = {{"level", 9}};
  request["evaluations"] = Json::array({Json::object(),
                                        {{"resource", {{"type", "record"}, {"id", "record-2"}}}},
                                        {{"subject", {{"type", "user"}, {"id", "bob"}}}},  // without the level
                                        {{"action", {{"name", "read"}}}}});
  const Json out = records.decide_all(request)["evaluations"];
  ASSERT_EQ(out.size(), 4u);
  const bool expected[] = {true, false, false, true};
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(out[i]["decision"], expected[i]) << i;
}

TEST(Authzen, ThreeSemantics) {
  const Records records;
  Json request = {
      {"evaluations", Json::array({evaluation("alice", "write", "record-1"), evaluation("bob", "write", "record-1"),
                                   evaluation("alice", "read", "record-1")})}};
  EXPECT_EQ(records.decide_all(request)["evaluations"].size(), 3u);
  const std::pair<const char*, size_t> kTable[] = {
      {"execute_all", 3}, {"deny_on_first_deny", 2}, {"permit_on_first_permit", 1}};
  for (const auto& [name, answers] : kTable) {
    request["options"] = {{"evaluations_semantic", name}};
    EXPECT_EQ(records.decide_all(request)["evaluations"].size(), answers) << name;
  }
  request["options"] = {{"evaluations_semantic", "some"}};
  EXPECT_EQ(records.post("/access/v1/evaluations", request.dump()).status, 400u);
}

TEST(Authzen, WithoutEntriesItIsOneEvaluation) {
  const Records records;
  Json request = evaluation("alice", "write", "record-1");
  EXPECT_EQ(records.decide_all(request)["decision"], true);
  request["evaluations"] = Json::array();
  EXPECT_EQ(records.decide_all(request)["decision"], true);
  request["evaluations"] = Json::array({{{"subject", 1}}});
  EXPECT_EQ(records.post("/access/v1/evaluations", request.dump()).status, 400u);
}

TEST(Authzen, TheMetadataNamesTheEndpoints) {
  const Records records;
  const Json out = records.got("/.well-known/authzen-configuration");
  const std::string base = std::string("http://") + kHost;
  EXPECT_EQ(out["policy_decision_point"], base);
  EXPECT_EQ(out["access_evaluation_endpoint"], base + "/access/v1/evaluation");
  EXPECT_EQ(out["access_evaluations_endpoint"], base + "/access/v1/evaluations");
}

TEST(AuthzenMapping, ATableReplacesKeysOfTheDefault) {
  Records records;
  auto mapping = AuthzenMapping::parse(
      "# ours\ncapability = \"read\"\nagent.id = context.agent\ninput = {\"who\": subject.id}\nmetadata = null\n", "m");
  ASSERT_TRUE(mapping.ok()) << mapping.error().message;
  Arena arena;
  const auto parse = [&](const char* text) { return *parse_json(arena, text); };
  const AuthzenRequest asked{
      parse(R"({"type": "user", "id": "bob", "properties": {}})"), parse(R"({"name": "x", "properties": {}})"),
      parse(R"({"type": "record", "id": "r", "properties": {"owner": "eve"}})"), parse(R"({"agent": "a-1"})")};
  const auto event = mapping->apply(asked);
  ASSERT_TRUE(event.ok()) << event.error().message;
  EXPECT_EQ(event->capability, "read");
  EXPECT_EQ(Json::parse(event->input), (Json{{"who", "bob"}}));
  EXPECT_EQ(event->metadata, "");
  EXPECT_EQ(Json::parse(event->host), (Json{{"agent", {{"id", "a-1"}}},
                                            {"principal", {{"id", "bob"}}},
                                            {"resource", {{"id", "r"}, {"type", "record"}, {"owner", "eve"}}}}));

  records.options.authzen = *mapping;
  records.restart();
  const Json out = records.decide(evaluation("bob", "write", "record-1"));  // has no `context.agent`
  EXPECT_EQ(out["decision"], false);
  EXPECT_TRUE(out["context"].contains("error")) << out.dump();
}

TEST(AuthzenMapping, MistakesAreFoundAtTheStart) {
  for (const char* wrong : {"capability", "unknown = 1", "agent.a.b = 1", "input.x = 1", "capability = action.",
                            "capability = acton.name", "capability = 1 + \"x\"", "input = {}\ninput = {}"}) {
    const auto mapping = AuthzenMapping::parse(wrong, "m");
    ASSERT_FALSE(mapping.ok()) << wrong;
    EXPECT_EQ(mapping.error().code, "bad_mapping");
    EXPECT_NE(mapping.error().message.find("m:"), std::string::npos) << mapping.error().message;
  }
}

}  // namespace
}  // namespace ordain::server
