#include "internal/config/address.h"

#include <gtest/gtest.h>

namespace gpumon::config {
namespace {

TEST(AddressTest, AcceptsTheUrlsOfAPrometheus) {
  for (const char* url : {"http://localhost:9090", "https://prom.example/",
                          "http://10.0.0.1:9090/prom/x", "http://[::1]:9090", "HTTP://Prom",
                          "http://user:p%40ss@prom:9090", "http://prom.svc.:80", "http://a_b:1"}) {
    const auto status = CheckUrl(url);
    EXPECT_FALSE(status) << url << " " << status->message;
  }
}

TEST(AddressTest, RefusesEveryOtherUrl) {
  for (const char* url : {"",
                          "localhost:9090",
                          "file:///etc/passwd",
                          "gopher://x",
                          "ftp://x",
                          "http:/x",
                          "http//x",
                          "http://",
                          "http:///x",
                          "http://:9090",
                          "http://x:",
                          "http://x:0",
                          "http://x:65536",
                          "http://x:9a",
                          "http://x?query=up",
                          "http://x/#f",
                          "http://a b",
                          "http://a\nb",
                          "http://a\r\nHost: b",
                          "http://x/\x7f",
                          "http://[::1",
                          "http://[::g]:1",
                          "http://[::1]9",
                          "http://::1:9090",
                          "http://x/a@b",
                          "http://u:p@w@x",
                          "http://-x",
                          "http://x..y",
                          "http://\xc3\xa9.example",
                          "http://x\\@y",
                          "unix:///run/x.sock"}) {
    EXPECT_TRUE(CheckUrl(url)) << url;
  }
  EXPECT_TRUE(CheckUrl("http://x/" + std::string(3000, 'a')));
}

TEST(AddressTest, ARefusedUrlIsNotRepeatedInTheMessage) {
  for (const char* url :
       {"http://me:hunter2@x?y", "http://me:hunter2@@x", "http://me:hun/ter2@x"}) {
    const auto status = CheckUrl(url);
    ASSERT_TRUE(status);
    EXPECT_EQ(status->message.find("hun"), std::string::npos);
  }
}

TEST(AddressTest, KnowsALinkLocalAddressInEverySpelling) {
  for (const char* url : {"http://169.254.169.254",
                          "http://169.254.169.254:9090/latest",
                          "HTTPS://169.254.0.1/",
                          "http://user:pw@169.254.169.254",
                          "http://169.254.169.254.",
                          "http://2852039166",
                          "http://2852039166:80/",
                          "http://0xA9FEA9FE",
                          "http://0xa9.0xfe.0xa9.0xfe",
                          "http://0251.0376.0251.0376",
                          "http://025177524776",
                          "http://169.254.43518",
                          "http://169.16689662",
                          "http://169.0xfe.0251.254",
                          "http://00251.254.169.254",
                          "http://[::ffff:169.254.169.254]",
                          "http://[::FFFF:A9FE:A9FE]:9090",
                          "http://[0:0:0:0:0:ffff:a9fe:a9fe]",
                          "http://[::169.254.169.254]",
                          "http://[64:ff9b::169.254.169.254]",
                          "http://[2002:a9fe:a9fe::1]",
                          "http://[fe80::1]",
                          "http://[FEBF::1]:9090/prom",
                          "http://[fd00:ec2::254]",
                          "http://[fd00:0ec2:0:0:0:0:0:0254]",
                          "http://[fd20:ce::254]"}) {
    ASSERT_FALSE(CheckUrl(url)) << url << " " << CheckUrl(url)->message;
    EXPECT_TRUE(IsLinkLocalUrl(url)) << url;
  }
  for (const char* url : {"http://localhost:9090", "http://10.0.0.1:9090", "http://169.253.169.254",
                          "http://169.255.0.1", "http://1.169.254.1", "http://169.254.example",
                          "http://prom.169.254", "http://[::1]:9090", "http://[::ffff:10.0.0.1]",
                          "http://[fec0::1]", "http://[fd00::254]", "http://[a9fe:a9fe::1]",
                          "http://169.254.169.254.nip.example", "http://prom/169.254.169.254",
                          "http://169.254:pw@prom", "http://169.254.169.254%2f@prom"}) {
    ASSERT_FALSE(CheckUrl(url)) << url << " " << CheckUrl(url)->message;
    EXPECT_FALSE(IsLinkLocalUrl(url)) << url;
  }
}

TEST(AddressTest, KnowsAUrlWithAUser) {
  EXPECT_TRUE(HasUserInfo("http://u:p@x"));
  EXPECT_FALSE(HasUserInfo("http://x:9090/y"));
}

TEST(AddressTest, ReadsOriginsInLowerCase) {
  EXPECT_EQ(ParseOrigin("https://Dash.Example:8443").value(), "https://dash.example:8443");
  EXPECT_EQ(ParseOrigin("http://[::1]:3000").value(), "http://[::1]:3000");
  for (const char* text : {"", "null", "dash.example", "https://dash.example/", "https://a/b",
                           "https://*.example", "https://u@a", "ftp://a", "https://a?b"}) {
    EXPECT_FALSE(ParseOrigin(text)) << text;
  }
}

TEST(AddressTest, ReadsHostsInLowerCase) {
  EXPECT_EQ(ParseHost("Dash.Example").value(), "dash.example");
  EXPECT_EQ(ParseHost("10.0.0.1").value(), "10.0.0.1");
  EXPECT_EQ(ParseHost("[::1]").value(), "::1");
  EXPECT_EQ(ParseHost("::1").value(), "::1");
  for (const char* text : {"", "a:80", "[::1]:80", "a b", "a/b", "*", "http://a", "[a]"}) {
    EXPECT_FALSE(ParseHost(text)) << text;
  }
}

TEST(AddressTest, ReadsListenAddresses) {
  struct Row {
    const char* text;
    const char* host;
    std::optional<std::uint16_t> port;
  };
  for (const Row& row :
       {Row{"0.0.0.0", "0.0.0.0", {}}, Row{"127.0.0.1:9000", "127.0.0.1", 9000},
        Row{"[::1]:9000", "::1", 9000}, Row{"[::]", "::", {}}, Row{"::1", "::1", {}},
        Row{"localhost:0", "127.0.0.1", 0}, Row{"localhost", "127.0.0.1", {}}}) {
    const auto address = ParseListenAddress(row.text);
    ASSERT_TRUE(address) << row.text << " " << address.error().message;
    EXPECT_EQ(address->host, row.host) << row.text;
    EXPECT_EQ(address->port, row.port) << row.text;
  }
}

TEST(AddressTest, RefusesEveryOtherListenAddress) {
  for (const char* text :
       {"", ":8080", "dash.example", "1.2.3", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:65536", "[::1",
        "[1.2.3.4]:80", "[::1]80", "[::1]:", "*:80", "1.2.3.4:80:90", "256.0.0.1"}) {
    EXPECT_FALSE(ParseListenAddress(text)) << text;
  }
}

TEST(AddressTest, ChecksBasePaths) {
  for (const char* path : {"", "/x", "/x/y", "/gpu-monitoring_1.0~"}) {
    EXPECT_FALSE(CheckBasePath(path)) << path;
  }
  for (const char* path : {"/", "x", "/x/", "//x", "/x//y", "/.", "/../x", "/x y", "/x%20", "/{a}",
                           "/x?y", "/\xc3\xa9"}) {
    EXPECT_TRUE(CheckBasePath(path)) << path;
  }
  EXPECT_TRUE(CheckBasePath("/" + std::string(300, 'a')));
}

}  // namespace
}  // namespace gpumon::config
