package native

import "gatepass/codec"

var (
	badCode   = wrong(byte(fieldFactorCode), "second factor too long")
	badDevice = wrong(byte(fieldRememberDevice), "field of a device has the wrong size")
)

// takeFactorCode: FactorCode{code}.
func takeFactorCode(f *fields, m *codec.Message) error {
	if len(f.bytes[1]) > codec.MaxCode {
		return badCode
	}
	m.Kind, m.Native = codec.KindFactorCode, &codec.NativeMessage{Text: string(f.bytes[1])}
	return nil
}

// takeRememberDevice: RememberDevice{name, verifier}.
func takeRememberDevice(f *fields, m *codec.Message) error {
	w := &codec.NativeMessage{}
	if len(f.bytes[1]) > codec.MaxDeviceName || !f.fill(w.Proof[:], 2) {
		return badDevice
	}
	w.Text = string(f.bytes[1])
	m.Kind, m.Native = codec.KindRememberDevice, w
	return nil
}

// appendFactorWanted: FactorWanted{factor}.
func appendFactorWanted(dst []byte, factors codec.Factors) []byte {
	const totp, pin = 1, 2
	if factors&codec.FactorToken != 0 {
		return appendOne(dst, fieldFactorWanted, totp)
	}
	return appendOne(dst, fieldFactorWanted, pin)
}

// appendWelcome: Welcome{ping_every_ms, remembers}.
func appendWelcome(dst []byte, w *codec.NativeReply) []byte {
	dst, at := begin(dst, fieldWelcome)
	dst = appendNumber(dst, 1, uint64(w.PingEvery))
	return end(appendBool(dst, 2, w.Remembers), at)
}

// appendRemembered: Remembered{family, key, expires}.
func appendRemembered(dst []byte, w *codec.NativeReply) []byte {
	dst, at := begin(dst, fieldRemembered)
	dst = appendBytes(dst, 1, w.Family[:])
	dst = appendBytes(dst, 2, w.Key[:])
	return end(appendNumber(dst, 3, uint64(w.Expires)), at)
}

// appendNotice: Notice{text}.
func appendNotice(dst []byte, w *codec.NativeReply) []byte {
	dst, at := begin(dst, fieldNotice)
	return end(appendBytes(dst, 1, w.Text), at)
}
