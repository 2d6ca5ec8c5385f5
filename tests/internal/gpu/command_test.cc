#include "internal/gpu/command.h"

#include <gtest/gtest.h>

#include <ctime>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "internal/base/text.h"

namespace gpumon::gpu {
namespace {

struct SecretLine {
  std::string_view line;
  std::string_view secret;  // must not be in what is shown
  std::string_view shown;
};

// Assembled from pieces so that no scanner takes this file's examples for leaks.
const std::vector<SecretLine>& Secrets() {
  static const std::vector<SecretLine> kLines = {
      // Options.
      {"psql --password hunter2 -h db", "hunter2", "psql --password *** -h db"},
      {"app --password=hunter2 --port 80", "hunter2", "app --password=*** --port 80"},
      {"app --PASSWORD=hunter2", "hunter2", "app --PASSWORD=***"},
      {"app -password hunter2", "hunter2", "app -password ***"},
      {"app --db-password 'two words' x", "two words", "app --db-password '***' x"},
      {R"(app --db_passwd="two words" x)", "two words", R"(app --db_passwd="***" x)"},
      {"app --passphrase correct-horse", "correct-horse", "app --passphrase ***"},
      {"app --dbPassword=hunter2", "hunter2", "app --dbPassword=***"},
      {"app --password2 hunter2", "hunter2", "app --password2 ***"},
      {"app --pass hunter2", "hunter2", "app --pass ***"},
      {"app --pwd=hunter2", "hunter2", "app --pwd=***"},
      {"app --password 1234", "1234", "app --password ***"},
      {"app --password /looks/like/a/path", "looks", "app --password ***"},
      {"app --password -Xa9f2", "-Xa9f2", "app --password ***"},
      {"app --password = hunter2", "hunter2", "app --password = ***"},
      {"vllm serve m --api-key abc123", "abc123", "vllm serve m --api-key ***"},
      {"vllm serve m --api_key=abc123", "abc123", "vllm serve m --api_key=***"},
      {"app --apikey abc123", "abc123", "app --apikey ***"},
      {"app --apiKey abc123", "abc123", "app --apiKey ***"},
      {"app --key abc123xyz", "abc123xyz", "app --key ***"},
      {"app --encryption-key Zm9v", "Zm9v", "app --encryption-key ***"},
      {"app --secret s3cr3t", "s3cr3t", "app --secret ***"},
      {"app --client-secret=s3cr3t", "s3cr3t", "app --client-secret=***"},
      {"app --secret-value s3cr3t", "s3cr3t", "app --secret-value ***"},
      {"app --token t0ken", "t0ken", "app --token ***"},
      {"app --token=t0ken --max-tokens 5", "t0ken", "app --token=*** --max-tokens 5"},
      {"app --token 123456", "123456", "app --token ***"},
      {"app --auth-tokens a1b2,c3d4", "a1b2", "app --auth-tokens ***"},
      {"jupyter lab --NotebookApp.token=abcdef", "abcdef", "jupyter lab --NotebookApp.token=***"},
      {"app --credentials user:pw", "user:pw", "app --credentials ***"},
      {"app --auth me:hunter2", "hunter2", "app --auth ***"},
      {"java -Dspring.datasource.password=hunter2 -jar a.jar", "hunter2",
       "java -Dspring.datasource.password=*** -jar a.jar"},
      {"java -Djavax.net.ssl.keyStorePassword=changeit", "changeit",
       "java -Djavax.net.ssl.keyStorePassword=***"},
      {"java -Dtoken=abc123", "abc123", "java -Dtoken=***"},
      {"helm install --set auth.password=hunter2", "hunter2",
       "helm install --set auth.password=***"},
      {"openssl enc -passin pass:hunter2 -in f", "hunter2", "openssl enc -passin *** -in f"},
      {"redis-server --requirepass hunter2", "hunter2", "redis-server --requirepass ***"},
      {"gh-tool --gh-pat abc123 x", "abc123", "gh-tool --gh-pat *** x"},
      {"ssh-keygen -t rsa -N hunter2 -f k", "hunter2", "ssh-keygen -t rsa -N *** -f k"},
      // Arguments.
      {"wandb login 0123456789abcdef0123456789abcdef01234567 && python a.py",
       "0123456789abcdef0123456789abcdef01234567", "wandb login *** && python a.py"},
      {"/usr/bin/wandb login --relogin --host https://w.example abc123", "abc123",
       "/usr/bin/wandb login --relogin --host https://w.example ***"},
      {"vault login hunter2", "hunter2", "vault login ***"},
      {"aws configure set aws_secret_access_key hunter2", "hunter2",
       "aws configure set aws_secret_access_key ***"},
      // Variables.
      {"GITHUB_PAT=abc123 python x", "abc123", "GITHUB_PAT=*** python x"},
      {"TOKEN=abc123 python a.py", "abc123", "TOKEN=*** python a.py"},
      {"env HF_TOKEN=abc123 python a.py", "abc123", "env HF_TOKEN=*** python a.py"},
      {"WANDB_API_KEY=abc123 python a.py", "abc123", "WANDB_API_KEY=*** python a.py"},
      {"AWS_SECRET_ACCESS_KEY=abc/123 aws s3 ls", "abc/123", "AWS_SECRET_ACCESS_KEY=*** aws s3 ls"},
      {"PGPASSWORD=hunter2 psql", "hunter2", "PGPASSWORD=*** psql"},
      {"MYSQL_PWD=hunter2 mysql", "hunter2", "MYSQL_PWD=*** mysql"},
      {"docker run -e DB_PASSWORD=a&b;c img", "a&b;c", "docker run -e DB_PASSWORD=*** img"},
      {"docker run --env=API_TOKEN=abc img", "abc", "docker run --env=API_TOKEN=*** img"},
      {"sh -c 'export TOKEN=abc; run'", "abc", "sh -c 'export TOKEN=*** run'"},
      {"OPENAI_KEY='abc def' run", "abc def", "OPENAI_KEY='***' run"},
      {"KEY=abcdef run", "abcdef", "KEY=*** run"},
      {"python -c os.environ['TOKEN']='abc'", "abc", "python -c os.environ['TOKEN']='***'"},
      {R"-(python -c "token = 'abc'; go()")-", "abc", R"-(python -c "token = '***'; go()")-"},
      // Clients that take it by letter.
      {"mysql -u root -phunter2 db", "hunter2", "mysql -u root -p*** db"},
      {"/usr/bin/mysqldump -phunter2 db", "hunter2", "/usr/bin/mysqldump -p*** db"},
      {"docker exec db mysql -p12345", "12345", "docker exec db mysql -p***"},
      {"psql -phunter2", "hunter2", "psql -p***"},
      {"sshpass -p hunter2 ssh h", "hunter2", "sshpass -p *** ssh h"},
      {"sshpass -phunter2 ssh h", "hunter2", "sshpass -p*** ssh h"},
      {"redis-cli -a hunter2 ping", "hunter2", "redis-cli -a *** ping"},
      {"docker login -u me -p hunter2 reg", "hunter2", "docker login -u me -p *** reg"},
      {"curl -u me:hunter2 https://h/", "hunter2", "curl -u me:*** https://h/"},
      {"curl -ume:hunter2 https://h/", "hunter2", "curl -ume:*** https://h/"},
      {"curl --user=me:1234 https://h/", "1234", "curl --user=me:*** https://h/"},
      {"openssl enc -aes-256-cbc -k hunter2 -in f", "hunter2",
       "openssl enc -aes-256-cbc -k *** -in f"},
      {"openssl enc -aes-256-cbc -K 00ff11ee -iv 0", "00ff11ee",
       "openssl enc -aes-256-cbc -K *** -iv 0"},
      {"smbclient //h/s -U user%hunter2 -c ls", "hunter2", "smbclient //h/s -U user%*** -c ls"},
      {"smbclient //h/s -Uuser%1234", "1234", "smbclient //h/s -Uuser%***"},
      {"smbclient //h/s --user=user%hun:ter2", "hun:ter2", "smbclient //h/s --user=user%***"},
      {"/usr/bin/smbclient -U 'user%hunter2' //h/s", "hunter2",
       "/usr/bin/smbclient -U 'user%***' //h/s"},
      // Programs that take it by place.
      {"htpasswd -b f user hunter2", "hunter2", "htpasswd -b f user ***"},
      {"htpasswd -bc f user -Xa9f2", "-Xa9f2", "htpasswd -bc f user ***"},
      {"htpasswd -nbB user hunter2 > f", "hunter2", "htpasswd -nbB user *** > f"},
      {"htpasswd -c -b f user 'two words' && run x", "two words",
       "htpasswd -c -b f user '*** ***' && run x"},
      {"htpasswd -b f user hunter2; run x", "hunter2", "htpasswd -b f user ***; run x"},
      {"mc alias set m http://x minio hunter2", "hunter2", "mc alias set m http://x minio ***"},
      {"/opt/mc --insecure alias set m http://x minio hunter2 --quiet", "hunter2",
       "/opt/mc --insecure alias set m http://x minio *** --quiet"},
      {"mc config host add m http://x minio hunter2", "hunter2",
       "mc config host add m http://x minio ***"},
      {"mc admin user add m minio hunter2", "hunter2", "mc admin user add m minio ***"},
      // URLs.
      {"app postgres://u:p@h/db", "u:p", "app postgres://***@h/db"},
      {"app --dsn=postgresql+psycopg://u:p@h:5432/db?x=1", "u:p",
       "app --dsn=postgresql+psycopg://***@h:5432/db?x=1"},
      {"app postgres://u:p/w@h/db", "p/w", "app postgres://***@h/db"},
      {"app postgres://u:p#w@h/db", "p#w", "app postgres://***@h/db"},
      {"app redis://:hunter2@h:6379/0", "hunter2", "app redis://***@h:6379/0"},
      {"app a=http://u:p@a,b=http://u:q@b", "u:q", "app a=http://***@a,b=http://***@b"},
      {"git clone https://t0ken@github.com/x/y", "t0ken", "git clone https://***@github.com/x/y"},
      {"mount.cifs //u:hunter2@host/share /mnt", "hunter2", "mount.cifs //u:***@host/share /mnt"},
      {"app --share=//u:hunter2@host/share", "hunter2", "app --share=//u:***@host/share"},
      {"app --broker user:hunter2@rabbit:5672", "hunter2", "app --broker user:***@rabbit:5672"},
      {"curl https://h/p?token=abc&x=1", "abc", "curl https://h/p?token=***&x=1"},
      {"curl https://h/p?x=1&api_key=abc#f", "abc", "curl https://h/p?x=1&api_key=***#f"},
      {"curl https://maps/api?key=abcdef", "abcdef", "curl https://maps/api?key=***"},
      {"curl https://hooks.slack.com/services/T00/B00/XyZ123", "XyZ123", "curl https://***"},
      // Headers and JSON.
      {"curl -H 'Authorization: Bearer abc' h", "abc", "curl -H 'Authorization: Bearer ***' h"},
      {"curl -H Authorization: Bearer abc h", "abc", "curl -H Authorization: Bearer *** h"},
      {"curl -H Authorization:Bearer abc h", "abc", "curl -H Authorization:Bearer *** h"},
      {"curl -H 'Authorization: Basic dTpw' h", "dTpw", "curl -H 'Authorization: Basic ***' h"},
      {"curl -H 'Authorization: abc' h", "abc", "curl -H 'Authorization: ***' h"},
      {"curl -H 'X-Api-Key: abc' h", "abc", "curl -H 'X-Api-Key: ***' h"},
      {"curl -H 'PRIVATE-TOKEN: abc' h", "abc", "curl -H 'PRIVATE-TOKEN: ***' h"},
      {"curl -H 'Cookie: sid=abc; t=def' h", "def", "curl -H 'Cookie: *** ***' h"},
      {"app --header=bearer abc", "abc", "app --header=bearer ***"},
      {R"(app {"api_key": "abc", "n": 1})", "abc", R"(app {"api_key": "***", "n": 1})"},
      {R"(app {"api_key":"abc","n":1})", "abc", R"(app {"api_key":"***","n":1})"},
      {R"(sh -c "app {\"password\": \"abc\"}")", "abc", R"(sh -c "app {\"password\": \"***\"}")"},
      {R"(app ['--password', 'abc'])", "abc", R"(app ['--password', '***'])"},
      // Known beginnings.
      {"app eyJ"
       "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_",
       "zdWI", "app ***"},
      {"app AKIA"
       "IOSFODNN7EXAMPLE",
       "IOSFODNN", "app ***"},
      {"app ghp_"
       "16C7e42F292c6912E7710c838347Ae178B4a",
       "16C7e42F", "app ***"},
      {"app gho_"
       "16C7e42F292c6912E771",
       "16C7e42F", "app ***"},
      {"app x=github_pat_"
       "11ABCDEFG0abcdefghijkl_mn",
       "11ABCD", "app x=***"},
      {"app hf_"
       "abcdefghijklmnopqrstuvwxyz",
       "ghijkl", "app ***"},
      {"app sk-"
       "proj-abc123def456ghi789",
       "abc123", "app ***"},
      {"app sk_live_"
       "4eC39HqLyjWDarjtT1zdp7dc",
       "4eC39H", "app ***"},
      {"app xoxb-"
       "123456789012-abcdefABCDEF",
       "abcdef", "app ***"},
      {"app xoxp-"
       "123456789012-abcdefABCDEF",
       "abcdef", "app ***"},
      {"app glpat-"
       "abcdefghij1234567890",
       "abcdef", "app ***"},
      {"app AIza"
       "SyA1234567890abcdefghijklmnopqrstuv",
       "SyA123", "app ***"},
      {"app (AKIA"
       "IOSFODNN7EXAMPLE)",
       "IOSFODNN", "app (***)"},
      // PEM and opaque words.
      {"app -----BEGIN RSA PRIVATE KEY----- MIIB VQIB -----END RSA PRIVATE KEY----- x", "VQIB",
       "app *** x"},
      {"app -----BEGIN PRIVATE KEY-----\nMIIB\nVQIB", "VQIB", "app ***"},
      {"app wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE7KEY1", "K7MDENG", "app ***"},
      {"app 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "9f86d081", "app ***"},
      {"app --id 9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B", "9F86D081", "app --id ***"},
      {"app blob=q83vEjRWeJq83vEjRWeJq83vEjRWeJAB1xQ2rT", "q83vEjRW", "app blob=***"},
      {"app --x Zk3Nq8vRt2Yb7Lw5Xc9Pd4Mh6Js1Gf0TaQeUiOp==", "Zk3Nq8", "app --x ***=="},
      {"curl https://h/hook/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "9f86d081",
       "curl https://h/hook/***"},
  };
  return kLines;
}

const std::vector<std::string_view>& HarmlessLines() {
  static const std::vector<std::string_view> kLines = {
      "",
      "python train.py",
      "python -p 8080",
      "python -u -m torch.distributed.run --nproc_per_node=8 train.py",
      "docker run -p 8080:80 --user 1000:1000 nvidia/cuda:12.4.1-base",
      "ssh -p 2222 host",
      "psql -p 5432 -h db -U me",
      "psql -p5432 -h db",
      "openssl req -x509 -key server.key -keyout k.pem -config openssl.cnf",
      "smbclient //h/s -U user -c ls",
      "htpasswd -c f user",
      "htpasswd -c f user && python -b a.py c d e",
      "mc alias set m http://x && mc cp a b c d e f",
      "mc cp a b c d e f",
      "mysql -u root -p db",
      "server -port 8080 --port=9090",
      "vllm serve meta-llama/Llama-3 --tokenizer meta-llama/Llama-3",
      "vllm serve meta-llama/Llama-3.1-405B-Instruct-FP8 --max-num-batched-tokens 8192",
      "app --max-tokens 4096 --num-tokens=12 --tokens-per-second 3",
      "app --tokenizer-mode auto --tokenizer=/models/tok.json",
      "app --pad-token <pad> --eos_token </s> --image-token <image>",
      "app --num-key-value-heads 8 --num_key_value_heads=8",
      "app --keypoints x.json --keyframe 3 --keep 5",
      "app --key-size 256 --sort-key name --image-key jpg",
      "sort --key=2,2 -t , file",
      "app --secretary bob --secretariat x",
      "app --password-file /run/secrets/db --token-path=/var/run/token",
      "docker login --username me --password-stdin registry.example.com",
      "app --no-password --ask-pass --skip-token-check x",
      "app --password --host db",
      "app --tls-private-key /etc/tls/tls.key --ssl-key=server.pem",
      "app --credentials /etc/gcp/sa.json --token /var/run/secrets/token",
      "GOOGLE_APPLICATION_CREDENTIALS=/etc/gcp/sa.json python a.py",
      "app --use_auth_token True --use-auth-token=false --auth none",
      "app --auth-type basic --authorization-mode=RBAC,Node",
      "chrome --password-store=basic",
      "git clone ssh://git@github.com/org/repo.git",
      "git clone git@github.com:org/repo.git",
      "curl https://example.com:8443/a/b@c?d=e",
      "curl http://[::1]:8080/x@y",
      "curl http://localhost:9090/api/v1/query?query=up&time=1704110400.5",
      "docker run repo/image:tag@sha256:"
      "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      "crictl pull sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      "python a.py --revision 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
      "GIT_COMMIT=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b make",
      "pip install git+https://github.com/x/y.git@9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
      "python /root/.cache/huggingface/hub/models--meta-llama--Llama-3.1-8B/snapshots/"
      "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b/run.py",
      "/home/me/.vscode-server/bin/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b/node out/x.js",
      "/nix/store/0c5b9x1y2z3a4b5c6d7e8f9g0h1i2j3k-python3-3.11.6/bin/python3 a.py",
      "CUDA_VISIBLE_DEVICES=GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77 python a.py",
      "app MIG-41b35743-3f2c-5f5e-8b3d-0d9f1c2e7a11 "
      "--uuid 123e4567-e89b-12d3-a456-426614174000",
      "pip install torch-2.1.0+cu121-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
      "python /mnt/data/experiments/very-long-experiment-name-with-many-dashes-2024-01-01/train.py",
      "python -m Qwen2VLForConditionalGenerationWithAnEvenLongerClassName2 --epochs 3",
      "app --config_path=/opt/some_directory/another_directory/and_one_more_directory/config.yaml",
      "tritonserver --model-repository=/models --log-verbose=1",
      "/usr/lib/xorg/Xorg :0 -auth /run/user/1000/gdm/Xauthority",
      "python -c import torch; print(torch.cuda.is_available())",
      "app --passes 3 --compass north --bypass --mode passive",
      "app --signal 9 --design x --monkey business --turkey 1",
      "python app.py --hf-overrides {\"rope_theta\": 10000, \"max_tokens\": 5}",
      "ray start --address=10.0.0.1:6379 --redis-port=6379",
      "torchrun --rdzv-endpoint=node-0:29400 --rdzv-id=job42 sk-learn-pipeline.py",
      "mpirun -np 16 -x LD_LIBRARY_PATH=/usr/local/cuda/lib64:/usr/lib a.out",
      "./gpu_burn 3600",
      "python entraîne.py --données /données/été",
  };
  return kLines;
}

TEST(CommandTest, TheCorpusIsLargeEnough) {
  EXPECT_GE(Secrets().size(), 60U);
  EXPECT_GE(HarmlessLines().size(), 40U);
}

TEST(CommandTest, MasksEverySecretOfTheCorpus) {
  for (const SecretLine& line : Secrets()) {
    const std::string shown = ShowCommand(line.line, CommandStyle::kRedacted);
    EXPECT_EQ(shown, line.shown) << line.line;
    EXPECT_EQ(shown.find(line.secret), std::string::npos) << shown;
  }
}

TEST(CommandTest, MasksEverySecretAgainInALongerCommand) {
  for (const SecretLine& line : Secrets()) {
    for (const std::string_view before : {"nice -n 5 ", "X=1 é ", "bash -c \""}) {
      const std::string shown =
          ShowCommand(std::string(before) + std::string(line.line), CommandStyle::kRedacted);
      EXPECT_EQ(shown.find(line.secret), std::string::npos) << shown;
    }
  }
}

TEST(CommandTest, LeavesEveryHarmlessLineAsItIs) {
  for (const std::string_view line : HarmlessLines()) {
    EXPECT_EQ(ShowCommand(line, CommandStyle::kRedacted), line);
  }
}

TEST(CommandTest, ShowingWhatIsShownChangesNothing) {
  for (const SecretLine& line : Secrets()) {
    EXPECT_EQ(ShowCommand(line.shown, CommandStyle::kRedacted), line.shown);
  }
}

// The shapes of what cloud and model services hand out, at random.
TEST(CommandTest, MasksRandomWordsOfManyAlphabets) {
  struct Alphabet {
    std::string_view letters;
    std::size_t length;
    double least;
  };
  constexpr std::string_view kBase62 =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const std::string base64 = std::string(kBase62) + "+/";
  const std::string base64url = std::string(kBase62) + "-_";
  std::mt19937 random(11);
  for (const Alphabet& alphabet :
       {Alphabet{kBase62, 40, 0.98}, Alphabet{kBase62, 64, 0.999}, Alphabet{base64, 44, 0.97},
        Alphabet{base64, 88, 0.995}, Alphabet{base64url, 43, 0.96}, Alphabet{base64url, 86, 0.995},
        Alphabet{"0123456789abcdef", 40, 0.99}, Alphabet{"0123456789ABCDEF", 64, 0.999}}) {
    constexpr int kRounds = 3000;
    int masked = 0;
    for (int round = 0; round < kRounds; ++round) {
      std::string word;
      while (word.size() < alphabet.length) {
        word += alphabet.letters[random() % alphabet.letters.size()];
      }
      const std::string shown = ShowCommand("python a.py " + word, CommandStyle::kRedacted);
      if (shown.find(word.substr(8, 24)) == std::string::npos) ++masked;
    }
    EXPECT_GE(masked, alphabet.least * kRounds) << alphabet.letters << ' ' << alphabet.length;
  }
}

TEST(CommandTest, ReadsArgumentsSeparatedByNul) {
  using std::string_literals::operator""s;
  EXPECT_EQ(ShowCommand("app\0--password\0hunter2\0--x\0y"s, CommandStyle::kRedacted),
            "app\0--password\0***\0--x\0y"s);
}

TEST(CommandTest, FullShowsEverything) {
  for (const SecretLine& line : Secrets()) {
    EXPECT_EQ(ShowCommand(line.line, CommandStyle::kFull), line.line);
  }
}

TEST(CommandTest, HiddenShowsNothing) {
  EXPECT_EQ(ShowCommand("python train.py", CommandStyle::kHidden), "");
}

TEST(CommandTest, NameShowsTheFirstWordWithoutSecrets) {
  EXPECT_EQ(ShowCommand("/usr/bin/python train.py --password x", CommandStyle::kName),
            "/usr/bin/python");
  EXPECT_EQ(ShowCommand("  python\ttrain.py", CommandStyle::kName), "python");
  EXPECT_EQ(ShowCommand("", CommandStyle::kName), "");
  EXPECT_EQ(ShowCommand("TOKEN=abc LICENSE=hunter2 python a.py", CommandStyle::kName), "python");
  EXPECT_EQ(ShowCommand("LICENSE=hunter2", CommandStyle::kName), "");
}

TEST(CommandTest, LeavesValidUtf8ValidAndTakesAnyBytes) {
  std::mt19937 random(7);
  const std::vector<std::string_view> pieces = {"--password",
                                                "=",
                                                ":",
                                                " ",
                                                "é",
                                                "\"",
                                                "'",
                                                "\\",
                                                "日本語",
                                                "TOKEN",
                                                "://",
                                                "@",
                                                "?",
                                                "&",
                                                "-p",
                                                "mysql",
                                                "Authorization",
                                                "Bearer",
                                                "sk-",
                                                "eyJ",
                                                "/",
                                                "-----BEGIN ",
                                                "-----END ",
                                                "-----",
                                                "x1Y2",
                                                "😀",
                                                "\n",
                                                "--",
                                                ";",
                                                ",",
                                                "key",
                                                "ghp_aaaaaaaaaaaaaaa",
                                                "0123456789abcdef0123456789abcdef01234567"};
  for (int round = 0; round < 3000; ++round) {
    std::string line;
    for (int i = 0; i < 12; ++i) line += pieces[random() % pieces.size()];
    const std::string shown = ShowCommand(line, CommandStyle::kRedacted);
    ASSERT_TRUE(IsValidUtf8(shown)) << line;
    std::string bytes(40, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    static_cast<void>(ShowCommand(line + bytes + line, CommandStyle::kRedacted));
  }
}

// Processor seconds that `size` bytes of `piece` take.
double Cost(std::string_view piece, std::size_t size) {
  std::string text;
  while (text.size() < size) text += piece;
  const std::clock_t start = std::clock();
  const std::string shown = ShowCommand(text, CommandStyle::kRedacted);
  const double cost = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_LE(shown.size(), 3 * text.size() + 3) << piece;
  return cost;
}

TEST(CommandTest, TakesTimeLinearInTheLength) {
  for (const std::string_view piece : {"--password '",
                                       "sk-",
                                       "a=",
                                       "\"",
                                       "?token=a&token=b&",
                                       "http://a:b@",
                                       "-----BEGIN ",
                                       "://",
                                       "a:b@c",
                                       "key=",
                                       "eyJ",
                                       "aB1",
                                       "/aB1-",
                                       "\\\"password\\\":",
                                       "{[('",
                                       "@",
                                       "=-",
                                       "Authorization: Bearer ",
                                       "--token=\"x ",
                                       "tokenToken."}) {
    constexpr std::size_t kSmall = 16 * 1024;
    // Eight times the length: eight times the time, not sixty-four times.
    const double small = Cost(piece, kSmall);
    const double large = Cost(piece, 8 * kSmall);
    EXPECT_LT(large, 24 * small + 0.05) << piece;
  }
}

}  // namespace
}  // namespace gpumon::gpu
