// An MPU-6050 on I2C, 100 Hz, to SenseBind. Arduino, ESP32 (also as an ESP-IDF component with the Arduino core).
// Header: sensebind firmware header imu-6axis.v1 timesync.v1 --out sensebind_frames.h
// Host:   sensebind probe serial --set path=/dev/ttyACM0 --set schema=imu-6axis.v1 --set sync=5s
#include <Wire.h>
#include "sensebind_frames.h"

static const uint8_t MPU = 0x68;
static uint16_t seq = 0;
static uint8_t ping[SB_TIMESYNC_V1_FRAME_MAX];
static size_t ping_length = 0;

static void write_register(uint8_t reg, uint8_t value) {
  Wire.beginTransmission(MPU);
  Wire.write(reg);
  Wire.write(value);
  Wire.endTransmission();
}

static int16_t read_word() {
  int16_t high = Wire.read();
  return (int16_t)((high << 8) | Wire.read());
}

void setup() {
  Serial.begin(115200);
  Wire.begin();
  Wire.setClock(400000);
  write_register(0x6B, 0x01);  // PWR_MGMT_1: awake, clock of the gyroscope
  write_register(0x1B, 0x08);  // GYRO_CONFIG: 500 degrees per second, 65.5 LSB each
  write_register(0x1C, 0x08);  // ACCEL_CONFIG: 4 g, 8192 LSB each
}

static void answer_pings() {
  while (Serial.available() > 0) {
    uint8_t byte = (uint8_t)Serial.read();
    if (byte != 0) {
      if (ping_length < sizeof ping) ping[ping_length++] = byte;
      continue;
    }
    uint8_t out[SB_TIMESYNC_V1_FRAME_MAX];
    size_t n = sb_timesync_v1_answer(out, sizeof out, ping, ping_length, 0, micros());
    if (n > 0) Serial.write(out, n);
    ping_length = 0;
  }
}

void loop() {
  static uint32_t next = micros();
  answer_pings();
  if ((int32_t)(micros() - next) < 0) return;
  next += 10000;

  uint32_t taken = micros();
  Wire.beginTransmission(MPU);
  Wire.write(0x3B);  // ACCEL_XOUT_H
  Wire.endTransmission(false);
  Wire.requestFrom((int)MPU, 14);
  sb_imu_6axis_v1_t in;
  for (int i = 0; i < 3; i++) in.accel[i] = read_word();
  read_word();  // temperature
  for (int i = 0; i < 3; i++) in.gyro[i] = read_word();

  uint8_t out[SB_IMU_6AXIS_V1_FRAME_MAX];
  Serial.write(out, sb_imu_6axis_v1_encode(out, sizeof out, &in, seq++, taken));
}
