// lsp_fuzz reads its input twice: as messages to the language server, each of which begins after a line
// that holds only `--`; and as the text of a document, about which every request is made at places all
// over it. Whatever comes, answers are JSON, places lie within the text, and a request has one answer.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "lsp/framing.h"
#include "lsp/session.h"
#include "ordain/stdlib.h"
#include "ordain/utf8.h"

namespace {

using namespace ordain;
using nlohmann::json;

constexpr const char* kUri = "file:///fuzz/a.policy";

[[noreturn]] void stop(const std::string& what) {
  fmt::print(stderr, "\n{}\n", what);
  std::fflush(stderr);
  std::abort();
}

lsp::Session make_session() {
  return lsp::Session(
      {.read = [](const std::vector<std::string>&) { return Diagnostics(); }, .functions = &standard_library()});
}

// Handles all that waits. @returns what is sent
std::vector<json> drain(lsp::Session& session, int64_t now) {
  std::vector<json> out;
  const auto take = [&] {
    for (const std::string& message : session.work(now)) out.push_back(json::parse(message));
  };
  while (session.waiting() > 0) take();
  while (session.due() && *session.due() <= now) take();
  return out;
}

void send(lsp::Session& session, const json& message) { session.receive(message.dump()); }

void begin(lsp::Session& session) {
  send(session, {{"id", 0}, {"method", "initialize"}, {"params", {{"capabilities", json::object()}}}});
}

// The stream as messages, as it came and framed.
void follow(const std::string& input) {
  lsp::FrameReader raw({.header_bytes = 256, .message_bytes = 1 << 20});
  raw.append(input);
  while (raw.next()) {
  }
  lsp::Session session = make_session();
  begin(session);
  lsp::FrameReader reader;
  for (size_t at = 0; at <= input.size();) {
    const size_t end = std::min(input.find("\n--\n", at), input.size());
    reader.append(lsp::framed(std::string_view(input).substr(at, end - at)));
    at = end + 4;
  }
  while (const auto message = reader.next()) session.receive(*message);
  drain(session, 1'000'000);
}

void check_places(const json& value, size_t lines) {
  if (value.is_object() && value.contains("line") && value.contains("character")) {
    if (value["line"].get<size_t>() >= lines) stop("a place is past the end: " + value.dump());
  }
  if (value.is_structured()) {
    for (const json& part : value) check_places(part, lines);
  }
}

// Asks everything about a document with the text.
void ask_about(const std::string& text) {
  lsp::Session session = make_session();
  begin(session);
  send(session, {{"method", "textDocument/didOpen"},
                 {"params", {{"textDocument", {{"uri", kUri}, {"version", 1}, {"text", text}}}}}});
  drain(session, 0);
  const lsp::TextLines lines(text, lsp::Encoding::utf16);
  int id = 0;
  const auto ask = [&](const char* method, json params) {
    params["textDocument"] = {{"uri", kUri}};
    send(session, {{"id", ++id}, {"method", method}, {"params", std::move(params)}});
    int answers = 0;
    for (const json& message : drain(session, 0)) {
      answers += message.value("id", -1) == id ? 1 : 0;
      if (message.contains("error") && message["error"]["code"] == lsp::kInternalError) stop(message.dump());
      check_places(message, lines.count());
    }
    if (answers != 1) stop(fmt::format("{} answers to {}", answers, method));
  };
  for (const char* method : {"textDocument/documentSymbol", "textDocument/foldingRange", "textDocument/codeLens",
                             "textDocument/semanticTokens/full", "textDocument/formatting", "textDocument/inlayHint"}) {
    ask(method, json::object());
  }
  const size_t step = text.size() / 16 + 1;
  for (size_t at = 0; at <= text.size(); at += step) {
    const json position = json::parse(lines.position_json(at));
    for (const char* method :
         {"textDocument/hover", "textDocument/completion", "textDocument/definition", "textDocument/prepareRename"}) {
      ask(method, {{"position", position}});
    }
    ask("textDocument/references", {{"position", position}, {"context", {{"includeDeclaration", true}}}});
    ask("textDocument/rename", {{"position", position}, {"newName", "other_name"}});
    ask("textDocument/codeAction", {{"range", {{"start", position}, {"end", position}}}});
  }
  for (const json& message : drain(session, 1'000'000)) check_places(message, lines.count());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  follow(input);
  if (valid_utf8(input)) ask_about(input);
  return 0;
}
