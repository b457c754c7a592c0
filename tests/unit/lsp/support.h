// A client for the tests of the language server: it speaks to a session, and its files are in memory.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lsp/session.h"
#include "ordain/stdlib.h"

namespace ordain::lsp::testing {

using nlohmann::json;

inline const std::string kFolder = "file:///work/policies";

inline std::string uri_for(const std::string& name) { return kFolder + "/" + name; }

using Files = std::map<std::string, std::string>;  // by path

class Client {
 public:
  explicit Client(Files files = {}, bool checks_aside = false) : files_(std::move(files)) {
    SessionOptions options;
    options.read = [this](const std::vector<std::string>& paths) { return read(paths); };
    options.functions = &standard_library();
    options.version = "1.2.3";
    options.checks_aside = checks_aside;
    session_ = std::make_unique<Session>(options);
  }

  Session& session() { return *session_; }
  Files& files() { return files_; }

  /// Sends a message as it is, and handles everything that waits. @returns what the server sends
  std::vector<json> send_text(const std::string& text) {
    session_->receive(text);
    return work();
  }

  std::vector<json> work() {
    std::vector<json> out;
    while (session_->waiting() > 0) {
      for (const std::string& message : session_->work(now_)) out.push_back(json::parse(message));
    }
    return out;
  }

  std::vector<json> notify(const std::string& method, const json& params) {
    return send_text(json{{"jsonrpc", "2.0"}, {"method", method}, {"params", params}}.dump());
  }

  /// The whole response to a request.
  json respond(const std::string& method, const json& params = json::object()) {
    const int id = ++last_id_;
    for (const json& message :
         send_text(json{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}}.dump())) {
      if (message.value("id", json()) == id) return message;
    }
    ADD_FAILURE() << "no response to " << method;
    return json::object();
  }

  /// The result of a request that must not fail.
  json ask(const std::string& method, const json& params = json::object()) {
    const json response = respond(method, params);
    EXPECT_TRUE(response.contains("result")) << response.dump();
    return response.value("result", json());
  }

  json initialize(const json& extra = json::object()) {
    json params = {{"capabilities", {{"textDocument", {{"publishDiagnostics", {{"relatedInformation", true}}}}}}},
                   {"workspaceFolders", json::array({{{"uri", kFolder}, {"name", "policies"}}})}};
    params.update(extra);
    const json result = ask("initialize", params);
    notify("initialized", json::object());
    return result;
  }

  void open(const std::string& name, const std::string& text) {
    notify("textDocument/didOpen",
           {{"textDocument", {{"uri", uri_for(name)}, {"languageId", "ordain"}, {"version", 1}, {"text", text}}}});
  }

  void change(const std::string& name, const json& changes) {
    notify("textDocument/didChange",
           {{"textDocument", {{"uri", uri_for(name)}, {"version", ++version_}}}, {"contentChanges", changes}});
  }

  /// Lets time pass until no diagnostics are due. @returns the last diagnostics of each document, by URI
  std::map<std::string, json> diagnostics() {
    std::map<std::string, json> out;
    while (const auto due = session_->due()) {
      now_ = *due;
      for (const std::string& text : session_->work(now_)) {
        const json message = json::parse(text);
        if (message.value("method", "") != "textDocument/publishDiagnostics") continue;
        out[message["params"]["uri"]] = message["params"]["diagnostics"];
      }
    }
    return out;
  }

  json diagnostics_of(const std::string& name) {
    const auto all = diagnostics();
    const auto found = all.find(uri_for(name));
    EXPECT_NE(found, all.end()) << name;
    return found == all.end() ? json::array() : found->second;
  }

 private:
  // Every file below a folder that is named, and every file that is.
  Diagnostics read(const std::vector<std::string>& paths) const {
    Diagnostics out;
    for (const auto& [path, text] : files_) {
      for (const std::string& wanted : paths) {
        if (path == wanted || path.starts_with(wanted + "/")) {
          out.sources.push_back(std::make_shared<Source>(Source{path, text, !path.ends_with(".policy")}));
        }
      }
    }
    return out;
  }

  Files files_;
  std::unique_ptr<Session> session_;
  int64_t now_ = 0;
  int last_id_ = 0;
  int version_ = 1;
};

inline std::vector<std::string> codes_of(const json& diagnostics) {
  std::vector<std::string> out;
  for (const json& each : diagnostics) out.push_back(each["code"]);
  return out;
}

inline json place(int line, int character) { return {{"line", line}, {"character", character}}; }
inline json range(int line, int from, int to) { return {{"start", place(line, from)}, {"end", place(line, to)}}; }

/// The place of `@@` in an ASCII text, which is taken out of it.
struct Marked {
  std::string text;
  json position;

  explicit Marked(std::string marked) {
    const size_t at = marked.find("@@");
    text = marked.substr(0, at) + marked.substr(at + 2);
    const std::string before = text.substr(0, at);
    const size_t line = before.rfind('\n');
    position = place(static_cast<int>(std::count(before.begin(), before.end(), '\n')),
                     static_cast<int>(line == std::string::npos ? before.size() : before.size() - line - 1));
  }
};

inline json at(const std::string& name, const json& position) {
  return {{"textDocument", {{"uri", uri_for(name)}}}, {"position", position}};
}

}  // namespace ordain::lsp::testing
