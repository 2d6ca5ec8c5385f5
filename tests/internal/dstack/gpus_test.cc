#include "internal/dstack/gpus.h"

#include <gtest/gtest.h>

#include <string>

namespace gpumon::dstack {
namespace {

constexpr std::string_view kTwo =
    R"({"gpus":[{"slot":"18:00.0","product_id":"10de:2335","description":"GH100 [H200]",)"
    R"("is_free":true},{"slot":"2a:00.0","product_id":"10de:2335","description":"a \"b\"",)"
    R"("is_free":false,"more":[1]}],"allow_attach_all":true,"extra":null})";

TEST(GpuListTest, IsReadAndWrittenAsMetadata) {
  const auto list = ParseGpuList(kTwo);
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(list->gpus.size(), 2U);
  EXPECT_TRUE(list->gpus[0].is_free);
  EXPECT_EQ(list->gpus[1].slot, "2a:00.0");
  EXPECT_EQ(MetadataOf(*list),
            R"({"gpu_count":2,"gpus":[{"slot":"18:00.0","description":"GH100 [H200]",)"
            R"("product_id":"10de:2335","is_free":true},{"slot":"2a:00.0",)"
            R"("description":"a \"b\"","product_id":"10de:2335","is_free":false}],)"
            R"("allow_attach_all":true})");
}

TEST(GpuListTest, AHostWithoutGpusHasNone) {
  const auto list = ParseGpuList(R"({"gpus":[],"allow_attach_all":false})");
  ASSERT_TRUE(list);
  EXPECT_EQ(MetadataOf(*list), R"({"gpu_count":0,"gpus":[],"allow_attach_all":false})");
}

struct Wrong {
  std::string text;
  std::string message;
};

TEST(GpuListTest, WhatIsMissingOrOfAnotherTypeIsNamed) {
  const std::string gpu = R"("slot":"1","product_id":"2","description":"3")";
  for (const Wrong& wrong : {
           Wrong{"", "the answer is no JSON"},
           Wrong{"<html>", "the answer is no JSON"},
           Wrong{R"({"gpus":[],"allow_attach_all":tr)", "the answer is no JSON"},
           Wrong{R"({"gpus":[],"gpus":[],"allow_attach_all":true})", "the answer is no JSON"},
           Wrong{"[]", "the answer is no object"},
           Wrong{"null", "the answer is no object"},
           Wrong{R"({"allow_attach_all":true})", "gpus is missing or no list"},
           Wrong{R"({"gpus":null,"allow_attach_all":true})", "gpus is missing or no list"},
           Wrong{R"({"gpus":[]})", "allow_attach_all is missing or no true or false"},
           Wrong{R"({"gpus":[7],"allow_attach_all":true})", "gpus[0] is missing or no object"},
           Wrong{"{\"gpus\":[{" + gpu + "}],\"allow_attach_all\":true}",
                 "gpus[0].is_free is missing or no true or false"},
           Wrong{"{\"gpus\":[{" + gpu + ",\"is_free\":1}],\"allow_attach_all\":true}",
                 "gpus[0].is_free is missing or no true or false"},
           Wrong{R"({"gpus":[{"slot":1}],"allow_attach_all":true})",
                 "gpus[0].slot is missing or no text"},
       }) {
    const auto list = ParseGpuList(wrong.text);
    ASSERT_FALSE(list) << wrong.text;
    EXPECT_EQ(list.error().message, wrong.message) << wrong.text;
  }
}

}  // namespace
}  // namespace gpumon::dstack
