// The second corpus of command lines: what a reviewer found, and what stands near it.
#include <gtest/gtest.h>

#include <ctime>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "internal/gpu/command.h"

namespace gpumon::gpu {
namespace {

struct SecretLine {
  std::string_view line;
  std::string_view shown;
};
using SecretLines = std::vector<SecretLine>;

std::string Show(std::string_view line) {
  return ShowCommand(line, CommandStyle::kRedacted);
}

void ExpectShown(const SecretLines& lines) {
  for (const SecretLine& line : lines) {
    EXPECT_EQ(Show(line.line), line.shown) << line.line;
    EXPECT_EQ(Show(line.shown), line.shown) << "shown again";
    for (const std::string_view before : {"nice -n 5 ", "X=1 é ", "bash -c \""}) {
      const std::string shown = Show(std::string(before) + std::string(line.line));
      EXPECT_EQ(shown.find("hunter"), std::string::npos) << shown;
    }
  }
}

TEST(CommandCorpusTest, MasksValuesOfMoreNames) {
  ExpectShown({
      {"app --passwords=hunter2 x", "app --passwords=*** x"},
      {"python -c \"import wandb; wandb.login(key='hunter2')\"",
       "python -c \"import wandb; wandb.login(key='***')\""},
      {"python -c \"huggingface_hub.login(token='hunter2', x=1)\"",
       "python -c \"huggingface_hub.login(token='***', x=1)\""},
      {"python -c \"wandb.login(relogin=True, key='hunter2')\"",
       "python -c \"wandb.login(relogin=True, key='***')\""},
      {"python -c \"wandb.login('hunter2')\"", "python -c \"wandb.login(***)\""},
      {"python -c \"wandb.login(relogin=True, key = 'hunter2')\"",
       "python -c \"wandb.login(relogin=True, key = '***')\""},
      {"python -c \"db.set_password('hunter2')\"", "python -c \"db.set_password(***)\""},
      {"node -e \"api.setToken('hunter2'); run('a')\"", "node -e \"api.setToken(***); run('a')\""},
      {"neo4j-admin set-initial-password hunter2", "neo4j-admin set-initial-password ***"},
      {"mitmproxy --proxyauth me:hunter2 -p 80", "mitmproxy --proxyauth me:*** -p 80"},
      {"socat - PROXY:a:b:1,proxyauth=me:hunter2", "socat - PROXY:a:b:1,proxyauth=me:***"},
      {"psexec -u me -p hunter2 cmd", "psexec -u me -p *** cmd"},
      {"doctl -t hunter2 compute", "doctl -t *** compute"},
      {"openssl passwd -1 hunter2", "openssl passwd -1 ***"},
      {"app u=https%3A%2F%2Fme%3Ahunter2%40h%2Fx", "app u=https%3A%2F%2F***%40h%2Fx"},
      {"curl --cert client.pem:hunter2 https://a", "curl --cert client.pem:*** https://a"},
      {"python -c \"requests.get(u, auth=('u', 'hunter2'))\"",
       "python -c \"requests.get(u, auth=(***))\""},
      {"python -c \"requests.get(u, auth=HTTPBasicAuth('u', 'hunter2'))\"",
       "python -c \"requests.get(u, auth=HTTPBasicAuth(***))\""},
      {"python -c \"get(u, HTTPBasicAuth('u', 'hunter2'))\"",
       "python -c \"get(u, HTTPBasicAuth(***))\""},
      {R"(app --config '{"auth": {"password": "hunter2"}}')", R"(app --config '{"auth": {***}}')"},
      {R"(app '{"token": {"value": "hunter2"}, "n": 1}')", R"(app '{"token": {***}, "n": 1}')"},
      {R"(app {"secrets": {"token": "hunter2", "more": ["hunter2", {"a": "hunter2"}]}, "n": 1})",
       R"(app {"secrets": {***}, "n": 1})"},
      {"app \"auth: {password: hunter2, x: hunter2}\" y", "app \"auth: {***}\" y"},
      {R"(app {"auth": {"password": "hunter2)", R"(app {"auth": {***)"},
      {"app auth:\n  password: hunter2\nn: 1", "app auth:\n  password: ***\nn: 1"},
      {"app token:\n  value: hunter2\nn: 1", "app token:\n  value: ***\nn: 1"},
      {"curl -su me:hunter2 http://a", "curl -su me:*** http://a"},
      {"ttyd -c me:hunter2 bash", "ttyd -c me:*** bash"},
      {"python -c \"os.environ.setdefault('HF_TOKEN', 'hunter2')\"",
       "python -c \"os.environ.setdefault('HF_TOKEN', '***')\""},
      {"python -c \"os.putenv('HF_TOKEN','hunter2')\"",
       "python -c \"os.putenv('HF_TOKEN','***')\""},
      {"fish -c \"set -x HF_TOKEN hunter2\"", "fish -c \"set -x HF_TOKEN ***\""},
      {"tcsh -c \"setenv HF_TOKEN hunter2\"", "tcsh -c \"setenv HF_TOKEN ***\""},
      {"app --tokens abc,def1 x", "app --tokens *** x"},
      {"app --tokens abc, def1 --x y", "app --tokens *** *** --x y"},
      {"app tokens=[abc,def1] x", "app tokens=[***] x"},
      {"app tokens=[abc, def1] x", "app tokens=[***] x"},
      {"app --api-keys ['abc', 'def1'] x", "app --api-keys [***] x"},
      {R"(app {"tokens": ["abc", "def1"], "n": 1})", R"(app {"tokens": [***], "n": 1})"},
      {"app --pat abc123 x", "app --pat *** x"},
      {"PAT=abc123 app", "PAT=*** app"},
      {"pkcs11-tool --login --pin 1234 -O", "pkcs11-tool --login --pin *** -O"},
      {"pkcs11-tool --so-pin=123456", "pkcs11-tool --so-pin=***"},
      {"app pkcs11:object=k;pin-value=1234", "app pkcs11:object=k;pin-value=***"},
      {"openvpn --otp 123456", "openvpn --otp ***"},
      {"app --totp=123456", "app --totp=***"},
      {"aws sts get-session-token --token-code 123456",
       "aws sts get-session-token --token-code ***"},
      {"app --mfa-code=123456", "app --mfa-code=***"},
      {"wpa --psk hunter2 x", "wpa --psk *** x"},
      {"app Password hunter2", "app Password ***"},
      {"nmcli dev wifi connect s password hunter2", "nmcli dev wifi connect s password ***"},
      {"psql -c \"ALTER USER me PASSWORD 'hunter2'\"", "psql -c \"ALTER USER me PASSWORD '***'\""},
      {"mysql -e \"CREATE USER me IDENTIFIED BY 'hunter2'\"",
       "mysql -e \"CREATE USER me IDENTIFIED BY '***'\""},
      {"gcloud run --args=--user,me,--password,hunter2,--x y",
       "gcloud run --args=--user,me,--password,***,--x y"},
      {"app --password,hunter2", "app --password,***"},
      {"app ['--password','hunter2','x']", "app ['--password','***','x']"},
      {R"(app {"args":["--api-key","hunter2"]})", R"(app {"args":["--api-key","***"]})"},
      {"app /password:hunter2 x", "app /password:*** x"},
      {"xfreerdp /u:me /p:hunter2 /v:host", "xfreerdp /u:me /p:*** /v:host"},
      {"/usr/bin/xfreerdp3 '/p:hunter2'", "/usr/bin/xfreerdp3 '/p:***'"},
      {"app <a><password>hunter2</password></a>", "app <a><password>***</password></a>"},
      {"app <Password>two words</Password> x", "app <Password>***</Password> x"},
      {"app <a:password type=\"x\">two words</a:password> x",
       "app <a:password type=\"x\">***</a:password> x"},
      {"app token%3Dabc123 x", "app token%3D*** x"},
      {"app token%253Dabc123%2526x%253D1", "app token%253D***%2526x%253D1"},
      {"curl https://h/?redirect=a%26token%3Dabc123%26b%3D1",
       "curl https://h/?redirect=a%26token%3D***%26b%3D1"},
      {"curl https://h/?q=%7B%22password%22%3A%22hunter2%22%7D",
       "curl https://h/?q=%7B%22password%22%3A***"},
      {"curl https://x/?code=SplxlOBeZQQYbYS6WxSbIA&state=1", "curl https://x/?code=***&state=1"},
      {"curl https://x/?code=4/0AfJohXk1b2C3d4E5f6G7h8", "curl https://x/?code=***"},
      {R"(app --password=a\ hunter2 --x y)", R"(app --password=*** --x y)"},
      {R"(app --password a\ b\ hunter2)", R"(app --password ***)"},
      {"app --password --Xa9f2", "app --password ***"},
      {"app --password --hunter2 --x y", "app --password *** --x y"},
      {"app --token --Xa9+f2", "app --token ***"},
      {"app --token=--Xa9f2", "app --token=***"},
      {"git config --global github.token hunter2", "git config --global github.token ***"},
      {"dvc remote modify --local r secret_access_key hunter2",
       "dvc remote modify --local r secret_access_key ***"},
      {"redis-cli CONFIG SET requirepass hunter2", "redis-cli CONFIG SET requirepass ***"},
      {"app --ticket-secret hunter2", "app --ticket-secret ***"},
      {"app --signature=Zk3Nq8vRt2Yb", "app --signature=***"},
      {"curl https://h/?sig=v4", "curl https://h/?sig=***"},
      {"app --pass 12", "app --pass ***"},
      {"app --password 'it'\\''s hunter2' x", "app --password '***' x"},
      {R"(app --password "a \"hunter2\" b" x)", R"(app --password "***" x)"},
      {"app --password 'a'hunter2 x", "app --password *** x"},
      {"ALTER USER me IDENTIFIED WITH native BY 'hunter2'",
       "ALTER USER me IDENTIFIED WITH native BY '***'"},
      {"app --mnemonic 'one two' --seed-phrase hunter2", "app --mnemonic '***' --seed-phrase ***"},
  });
}

TEST(CommandCorpusTest, MasksArgumentsOfMorePrograms) {
  ExpectShown({
      {"huggingface-cli login abc123", "huggingface-cli login ***"},
      {"hf auth login abc123 x", "hf auth login *** ***"},
      {"hf auth login --token abc123", "hf auth login --token ***"},
      {"huggingface-cli login --token=abc123", "huggingface-cli login --token=***"},
      {"ngrok authtoken abc123", "ngrok authtoken ***"},
      {"ngrok config add-authtoken abc123", "ngrok config add-authtoken ***"},
      {"cloudflared service install abc123", "cloudflared service install ***"},
      {"rclone obscure hunter2", "rclone obscure ***"},
      {"vault operator unseal abc123", "vault operator unseal ***"},
      {"redis-cli -h h AUTH hunter2", "redis-cli -h h AUTH ***"},
      {"bcp db.t out f -U sa -Phunter2", "bcp db.t out f -U sa -P***"},
      {"tsql -S s -U sa -P hunter2", "tsql -S s -U sa -P ***"},
      {"twine upload -u me -p hunter2 dist/x", "twine upload -u me -p *** dist/x"},
      {"cqlsh -u me -phunter2 h", "cqlsh -u me -p*** h"},
      {"snowsql -a acc -u me -p hunter2", "snowsql -a acc -u me -p ***"},
      {"rdesktop -u me -p hunter2 h", "rdesktop -u me -p *** h"},
      {"beeline -n me -p hunter2 -u jdbc:hive2://h", "beeline -n me -p *** -u jdbc:hive2://h"},
      {"xmrig -o pool:3333 -u w -p hunter2", "xmrig -o pool:3333 -u w -p ***"},
      {"ncftpget -u me -p hunter2 h . f", "ncftpget -u me -p *** h . f"},
      {"useradd -m -p hunter2 me", "useradd -m -p *** me"},
      {"usermod -phunter2 me", "usermod -p*** me"},
      {"ipmitool -H h -U me -P hunter2 power on", "ipmitool -H h -U me -P *** power on"},
      {"snmpwalk -v2c -c hunter2 h", "snmpwalk -v2c -c *** h"},
      {"snmpget -v3 -A hunter2 -X hunter3 h", "snmpget -v3 -A *** -X *** h"},
      {"ldapadd -D cn=me -w hunter2", "ldapadd -D cn=me -w ***"},
      {"unrar x -phunter2 f.rar", "unrar x -p*** f.rar"},
      {"redis-benchmark -a hunter2", "redis-benchmark -a ***"},
      {"wpa_passphrase ssid hunter2", "wpa_passphrase ssid ***"},
      {"http -a me:hunter2 h", "http -a me:*** h"},
      {"http -A bearer -a hunter2 h", "http -A bearer -a *** h"},
      {"https -ame:hunter2 h", "https -ame:*** h"},
      {"http --auth=me:hunter2 h", "http --auth=*** h"},
      {"curl -b 'session=hunter2' h", "curl -b '***' h"},
      {"curl -b 'a=1; session=hunter2' h", "curl -b '***' h"},
      {"curl -b session=hunter2; x", "curl -b *** ***"},
      {"curl -bsession=hunter2 h", "curl -b*** h"},
      {"curl -E c.pem:hunter2 h", "curl -E c.pem:*** h"},
      {"python -m huggingface_hub.commands.huggingface_cli login abc",
       "python -m huggingface_hub.commands.huggingface_cli login ***"},
      {"smbmap -u me -p hunter2 h", "smbmap -u me -p *** h"},
      {"secretsdump.py dom/me:hunter2@10.0.0.1", "secretsdump.py dom/me:***@10.0.0.1"},
      {"lftp -u me,hunter2 h", "lftp -u me,*** h"},
      {"lftp -e 'open -u me,hunter2 h'", "lftp -e 'open -u me,*** h'"},
      {"sqlplus scott/hunter2@db", "sqlplus scott/***@db"},
      {"sqlplus -S scott/hunter2 @x/a.sql", "sqlplus -S scott/*** @x/a.sql"},
      {"sqlplus 'scott/hun@ter2@//h:1521/s'", "sqlplus 'scott/***@//h:1521/s'"},
      {"sqlldr userid=scott/hunter2@db control=a/b.ctl",
       "sqlldr userid=scott/***@db control=a/b.ctl"},
      {"java -jar a.jar jdbc:oracle:thin:scott/hunter2@h:1521:x",
       "java -jar a.jar jdbc:oracle:thin:scott/***@h:1521:x"},
      {"app --url=jdbc:oracle:oci:scott/hunter2@//h:1521/x",
       "app --url=jdbc:oracle:oci:scott/***@//h:1521/x"},
      {"rabbitmqctl add_user me hunter2", "rabbitmqctl add_user me ***"},
      {"rabbitmqctl -n r change_password me hunter2", "rabbitmqctl -n r change_password me ***"},
      {"kubectl -n a create secret generic s --from-literal=x=hunter2 --from-literal y=hunter3",
       "kubectl -n a create secret generic s --from-literal=x=*** --from-literal y=***"},
      {"kubectl create secret generic s '--from-literal=x=hunter2'",
       "kubectl create secret generic s '--from-literal=x=***'"},
      {"vault kv put -mount=kv secret/a x=hunter2 y=hunter3",
       "vault kv put -mount=kv secret/a x=*** y=***"},
      {"vault kv put secret/a x='two words' && vault status",
       "vault kv put secret/a x='*** ***' && vault status"},
      {"vault write auth/userpass/users/me x=hunter2", "vault write auth/userpass/users/me x=***"},
      {"fly secrets set A=hunter2 -a app", "fly secrets set A=*** -a app"},
      {"gh secret set NAME --body hunter2", "gh secret set NAME --body ***"},
      {"ffmpeg -i a -f flv rtmp://host/live2/abcd-efgh",
       "ffmpeg -i a -f flv rtmp://host/live2/***"},
      {"ffmpeg -i a -f flv 'rtmps://h:443/rtmp/FB-1-a?s_bl=1'",
       "ffmpeg -i a -f flv 'rtmps://h:443/rtmp/***'"},
  });
}

TEST(CommandCorpusTest, MasksWhatIsPipedIntoAskers) {
  ExpectShown({
      {"echo hunter2 | docker login -u me --password-stdin",
       "echo *** | docker login -u me --password-stdin"},
      {"sh -c \"echo 'hunter2' | sudo -S ls\"", "sh -c \"echo '***' | sudo -S ls\""},
      {"echo -n hunter2|sudo -kS ls", "echo -n ***|sudo -kS ls"},
      {"printf '%s' hunter2 | sudo --stdin ls", "printf '***' *** | sudo --stdin ls"},
      {"printf %s hunter2 | gh auth login --with-token",
       "printf *** *** | gh auth login --with-token"},
      {"echo me:hunter2 | chpasswd", "echo *** | chpasswd"},
      {"echo me:hunter2 | sudo chpasswd -e", "echo *** | sudo chpasswd -e"},
      {"echo hunter2 | passwd --stdin me", "echo *** | passwd --stdin me"},
      {"echo hunter2 | kinit me", "echo *** | kinit me"},
      {"echo hunter2 | gpg --batch --passphrase-fd 0 f",
       "echo *** | gpg --batch --passphrase-fd 0 f"},
      {"echo hunter2 | cryptsetup open d m -", "echo *** | cryptsetup open d m -"},
      {"true && echo hunter2 | sudo -S ls && echo done",
       "true && echo *** | sudo -S ls && echo done"},
      {"yes hunter2 | passwd me", "yes *** | passwd me"},
      {"cat <<< hunter2 | sudo -S ls", "cat <<< *** | sudo -S ls"},
      {"echo hunter2 |& sudo -S ls", "echo *** |& sudo -S ls"},
      {"(echo hunter2; sleep 1) | sudo -S ls", "(echo ***; sleep 1) | sudo -S ls"},
      {"(echo hunter2) | sudo -S ls", "(echo ***) | sudo -S ls"},
      {"echo hunter2 | gh secret set NAME", "echo *** | gh secret set NAME"},
      {"chpasswd <<< me:hunter2", "chpasswd <<< ***"},
      {"chpasswd <<<me:hunter2 && ls", "chpasswd <<<*** && ls"},
      {"sudo -S ls <<< 'hunter2'", "sudo -S ls <<< '***'"},
      {"docker login --password-stdin <<< hunter2", "docker login --password-stdin <<< ***"},
      {"chpasswd <<EOF\nme:hunter2\nEOF", "chpasswd <<***"},
  });
}

// Assembled from pieces so that no scanner takes this file's examples for leaks.
TEST(CommandCorpusTest, MasksTokensOfMoreServices) {
  const std::string hex32 = "0123456789abcdef0123456789abcdef";
  const std::string mixed20 = "aB3dE5gH7jK9mN1pQ2sT";
  const std::string mixed40 = mixed20 + mixed20;
  const std::string lower24 = "abcdefgh1234ijklmnop5678";
  for (const std::string& token : {
           "xai-" + mixed40 + mixed40,
           "pplx-" + lower24 + lower24,
           "dapi" + hex32,
           "dapi" + hex32 + "-2",
           "tskey-"
           "auth-kAbc12CNTRL-" +
               mixed20,
           "tskey-"
           "client-kAbc12CNTRL-" +
               mixed20,
           "ATATT3x"
           "FfGF0" +
               mixed40 + "=1A2B3C4D",
           "ATBB" + mixed20 + "aB3dE5gH12345678",
           "AGE-SECRET-KEY-1" +
               std::string("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE"),
           "fw_" + mixed20 + "aB",
           "secret_" + mixed40 + "aB1",
           "ntn_" + mixed40 + "aB1",
           "cohere-" + mixed40,
           "ABSK"
           "QmVkcm9ja0FQSUtleS" +
               mixed40 + mixed40 + "=",
           "1//0g" + mixed40 + "-" + mixed20,
           "GOCSPX-" + mixed20 + "aB3_-xyz",
           "SWMTKN-1-" + hex32 + "-" + mixed20,
           "glsa_" + mixed20 + mixed20 + "_0a1b2c3d",
           "pcsk_" + mixed20 + "_" + mixed40,
           "rpa_" + mixed40,
           "tvly-" + lower24,
           "tgp_v1_" + mixed40,
           "api_org_" + std::string("abcdefghijklmnopqrstuvwxyzabcdefgh"),
           "lin_api_" + mixed40,
           "figd_" + mixed40,
           "sbp_" + hex32 + "01234567",
           "glptt-" + mixed20,
           "xoxe-"
           "1-" +
               mixed40,
           "rubygems_" + hex32,
           "NRAK-" + std::string("ABCDEFGHIJ1234567890ABCDEFG"),
           "sntrys_" + mixed40,
           "dp.pt." + mixed40,
           "discord.com/api/webhooks/123456789012345678/" + lower24,
           "outlook.office.com/webhook/" + hex32 + "@" + hex32 + "/IncomingWebhook/" + hex32,
           "api.telegram.org/bot"
           "123456789:AA" +
               mixed20 + "-aB3_x/getMe",
       }) {
    const std::string shown = Show("app " + token + " x");
    EXPECT_TRUE(shown == "app *** x" || shown == "app ***-2 x" || shown == "app ***/getMe x")
        << shown;
    EXPECT_EQ(Show("app (" + token + ")").find(token.substr(token.size() - 9)), std::string::npos);
  }
}

TEST(CommandCorpusTest, MasksSecretAccessKeysOfAws) {
  EXPECT_EQ(Show("app wJalrXUtnFEMI/K7MDENG/bPxRfiCY"
                 "EXAMPLEKEY x"),
            "app *** x");
  constexpr std::string_view kBase64 =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr int kRounds = 3000;
  std::mt19937 random(3);
  int masked = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::string key;
    while (key.size() < 40) key += kBase64[random() % kBase64.size()];
    if (Show("python a.py " + key).find(key.substr(8, 24)) == std::string::npos) ++masked;
  }
  EXPECT_GE(masked, 0.97 * kRounds);
}

TEST(CommandCorpusTest, TakesTimeLinearInTheLength) {
  for (const std::string_view piece : {"<password>",
                                       "</password",
                                       "<password>x</password>",
                                       "'\\''",
                                       "--password 'a\\",
                                       "token%3D",
                                       "%25",
                                       "echo 'a | sudo -S ",
                                       "--password=a\\ ",
                                       "--tokens [",
                                       "--password,",
                                       "--password,--a,",
                                       "vault kv put a='x ",
                                       "sqlplus a/b ",
                                       "rtmp://a/b/",
                                       "jdbc:oracle:a:b/c@",
                                       "/password:",
                                       "echo a |",
                                       "chpasswd <<< ",
                                       "--password --a1 "}) {
    const auto cost = [&](std::size_t size) {
      std::string text;
      while (text.size() < size) text += piece;
      const std::clock_t start = std::clock();
      static_cast<void>(Show(text));
      return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    };
    constexpr std::size_t kSmall = 16 * 1024;
    const double small = cost(kSmall);
    EXPECT_LT(cost(8 * kSmall), 24 * small + 0.05) << piece;
  }
}

const std::vector<std::string_view>& HarmlessLines() {
  static const std::vector<std::string_view> kLines = {
      // Names.
      "python -c \"model.set_key('query'); layer.set_pad_token('eos'); setTimeout('x')\"",
      "uvicorn app --cert a:b",
      "open https%3A%2F%2Fhost%2Fa%40b",
      "app set-size 5 password-policy x",
      "aws s3 cp --signature v4 a b",
      "app --signature-version s3v4 --signature s3v4",
      "saved_model_cli run --signature_def serving_default",
      "ffmpeg -i a.mp4 -c:v libx264 -pass 1 -f null /dev/null",
      "app --signature serving_default --sig 0.05",
      "ffmpeg -i a.mp4 -pass 2 -passlogfile /tmp/x out.mp4",
      "x265 --pass 2 a.yuv",
      "app --tokens 4096 x",
      "app --tokens=4096",
      "app --tokens 1.5B --keys 12",
      "app tokens=[1,2,3] n=1",
      "curl -d '{\"tokens\": 5}' h",
      "app tokens=[1, 2, 3] n=1",
      "app --max-tokens=512 --num-tokens 1 --stop-tokens a,b",
      "app --special_tokens <a> <b>",
      "python train.py --pin-memory --pin_memory true",
      "python train.py --pin --epochs 3",
      "app --pin cores --cpu-pin 3 --pin 17",
      "app --patience 3 --pattern x --pat *.json",
      "PATH=/usr/bin:/opt/PAT/bin python a.py",
      "grep --pat ./x pat=3 pin=4",
      "app --code main.py --exit-code 3 --error-code=12",
      "app --code /srv/main --country-code de",
      "curl https://h/x?code=404",
      "curl https://h/x?code=not_found&x=1",
      "curl https://h/?q=a%20b%3Dc%26d%3D5",
      "curl https://h/?q=100%25&x=%zz",
      "msbuild /p:Configuration=Release /t:Build",
      "docker run -v /opt/p:/p -v /token:/token:ro x",
      "ls /p:x /a/password:/b https://h/p:8080/x",
      "curl https://h:8080/p:1/x",
      "app --password --host db --port 3",
      "app --use-auth-token --fp16 --bf16",
      "app --password --batch-size=8",
      "app <pad> <token> x",
      "app --eos-token </s> --bos <s>",
      "app <password></password>",
      "app /srv/Password x /srv/password/x y",
      "app one\\ two --x y",
      "git config --global user.name me",
      "app set --x key",
      "app by 'x' identified y",
      "app --otp-version 3",
      "app --items a,b,--x,c",
      // Programs.
      "python train.py -p 8080",
      "python -P a.py -b 3 -u x,y",
      "ssh -p 22 host",
      "ssh -P x host",
      "tar -b 20 -cf a.tar b",
      "http GET localhost:8080/x a=b",
      "http --auth-type bearer h",
      "curl -b 4M h",
      "curl -b cookies.txt -c jar.txt h",
      "curl -E cert.pem h",
      "lftp -u me h",
      "sqlplus / as sysdba",
      "sqlplus @x/a.sql",
      "sqlplus me@//h:1521/x",
      "java jdbc:oracle:thin:@//h:1521/x jdbc:oracle:thin:@h:1521:x",
      "java -cp a/b jdbc:postgresql://h:5432/db",
      "snowsql -p 443 -h h",
      "bcp db.t out f -T -S h",
      "useradd -m -s /bin/sh me",
      "snmpwalk -v 3 -l noAuthNoPriv h",
      "huggingface-cli login --add-to-git-credential",
      "huggingface-cli download org/model --local-dir /m",
      "hf download org/model x",
      "hf auth whoami",
      "gh auth login --with-token",
      "ngrok http 8080",
      "ngrok config check",
      "rabbitmqctl list_users",
      "rabbitmqctl add_vhost a b",
      "kubectl create configmap c --from-literal=x=y",
      "kubectl create secret generic s --from-file=x=/etc/x",
      "kubectl get pods -l app=x",
      "vault kv get secret/a",
      "vault kv put secret/a x=@file.json y=-",
      "echo done | tee log.txt",
      "echo 1 | sudo tee /sys/x",
      "echo -S x | cat",
      "echo secret | grep secret",
      "cat pw.txt | docker login -u me --password-stdin r.io",
      "echo start && sudo -S ls",
      "echo a | grep a; sudo -S ls",
      "cat <<EOF x EOF",
      "python a.py <<< x",
      "ffmpeg -i rtmp://host/live -f null -",
      "ffmpeg -i rtsp://host/live/stream1 a.mp4",
      // Shapes.
      "python secret_santa.py secret_sharing_protocol_example_with_long_name_2.py",
      "python fw_convolution_backward_kernel_v2.py --kernel fw_conv2d",
      "app xai-explainability-tool-2024 cohere-embed-english-v3.0",
      "app pplx-70b-online pplx-7b-chat dapi dapi-server tskey-less",
      "app glsa_x sbp_1 rpa_bot figd_x",
      "curl http://h1//0g/x a//0b 1//2",
      "python AGE-SECRET-KEY-1",
      "python runs/Exp12/checkpoints/Step100/final01ab",
      "python experiments/Qwen2Train/logs/run20240101x",
      "app ABSK ATATT3x ATBBx GOCSPX- SWMTKN-1-x",
  };
  return kLines;
}

TEST(CommandCorpusTest, LeavesHarmlessLinesAsTheyAre) {
  EXPECT_GE(HarmlessLines().size(), 30U);
  for (const std::string_view line : HarmlessLines()) EXPECT_EQ(Show(line), line);
}

}  // namespace
}  // namespace gpumon::gpu
