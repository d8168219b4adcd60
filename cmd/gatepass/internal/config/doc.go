// Package config reads and checks the settings of the roles and of the commands that act
// like one: Load returns a Config in which every value is decoded, checked and complete.
// The package also answers questions that several settings decide together, such as where
// the bus is (BusURL) or what a gateway says of its world (Registration). It starts
// nothing and writes nothing.
//
// A value comes from the first of these that has it:
//
//  1. the flag of the command line
//  2. the environment: GATEPASS_ and the key in capitals, '.' as "__", '-' as "_", such
//     as GATEPASS_LOG__LEVEL
//  3. the configuration file, which --config names
//  4. the default of the command
//  5. the general default
package config
