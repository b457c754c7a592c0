// Messages in a stream: whole ones come out, and a bad header ends the reading.
#include "lsp/framing.h"

#include <gtest/gtest.h>

namespace ordain::lsp {
namespace {

TEST(Framing, MessagesComeOutHoweverTheBytesArrive) {
  const std::string stream =
      framed("{}") + "content-length:  3\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\nabc" +
      framed("") + framed("x\r\n\r\ny");
  for (const size_t step : {size_t{1}, size_t{2}, size_t{7}, stream.size()}) {
    FrameReader reader;
    std::vector<std::string> out;
    for (size_t at = 0; at < stream.size(); at += step) {
      reader.append(std::string_view(stream).substr(at, step));
      while (const auto message = reader.next()) out.push_back(*message);
    }
    EXPECT_EQ(out, (std::vector<std::string>{"{}", "abc", "", "x\r\n\r\ny"})) << step;
    EXPECT_EQ(reader.mistake(), "");
  }
}

TEST(Framing, BadHeadersEndTheReading) {
  const std::string cases[] = {
      "Content-Length: 5000\r\n\r\n",
      "Content-Length: 99999999999999999999999999\r\n\r\n",
      "Content-Length: -1\r\n\r\n",
      "Content-Length: 1x\r\n\r\n",
      "Content-Length: \r\n\r\n",
      "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
      "Content-Type: x\r\n\r\n",
      "nonsense\r\n\r\n",
      "\r\n\r\n",
      std::string(200, 'x'),
  };
  for (const std::string& text : cases) {
    FrameReader reader({.header_bytes = 100, .message_bytes = 1000});
    reader.append(text);
    EXPECT_EQ(reader.next(), std::nullopt) << text;
    EXPECT_NE(reader.mistake(), "") << text;
    reader.append(framed("{}"));
    EXPECT_EQ(reader.next(), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace ordain::lsp
